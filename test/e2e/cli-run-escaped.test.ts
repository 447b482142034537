/** Programs under `mica run` that leave their process group and session: a lease ends them all the same. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { root } from '../tooling/clone.js';

const mica = join(root, 'bin/mica');

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The program writes pids into the file `$PIDS`. */
function run(flags: readonly string[], program: string) {
  const folder = mkdtempSync(join(tmpdir(), 'mica-escaped-'));
  const pids = join(folder, 'pids');
  const pidsIn = (): readonly number[] => readFileSync(pids, 'utf8').trim().split(/\s+/).map(Number);
  onTestFinished(() => {
    for (const pid of pidsIn()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    rmSync(folder, { recursive: true });
  });
  const simulated = ['--driver', 'simulated', '--gpus', 'rtx-pro-6000:1', '--profile', '1g.24gb'];
  const { status, stderr } = spawnSync(
    process.execPath,
    [mica, 'run', ...simulated, ...flags, '--', 'sh', '-c', program],
    {
      encoding: 'utf8',
      timeout: 50_000,
      env: { ...process.env, MICA_STATE_DIR: join(folder, 'state'), PIDS: pids },
    },
  );
  return { status, stderr, alive: pidsIn().map(isAlive) };
}

const untilWritten = (count: number): string =>
  `until [ "$(cat $PIDS 2>/dev/null | wc -l)" -ge ${count} ]; do sleep 0.02; done`;

/** A daemon as they come: forked twice, in a session of its own, its parent gone; the `nth` that the program has. */
const daemon = (nth: number, body: string): string =>
  `setsid sh -c 'sh -c "echo \\$\\$ >> $PIDS; ${body}" >/dev/null 2>&1 & ${untilWritten(nth)}'`;

describe('mica run', { timeout: 60_000 }, () => {
  it('ends a daemon that the program left behind', () => {
    expect(run([], `${daemon(1, 'exec sleep 60')}; exit 5`)).toEqual({
      status: 5,
      stderr: '',
      alive: [false],
    });
  });

  it('ends daemons of a program that took too long, also those that do not listen', () => {
    const deaf = daemon(2, "trap '' TERM; while :; do sleep 0.1; done").replaceAll("''", `'"'"''"'"'`);
    const { status, alive } = run(['--timeout', '3s'], `${daemon(1, 'exec sleep 60')}; ${deaf}; sleep 60`);
    expect({ status, alive }).toEqual({ status: 124, alive: [false, false] });
  });

  it('leaves alone what cleaned its environment and left: the driver has to show that', () => {
    const { alive } = run(
      [],
      'env -i PATH="$PATH" PIDS="$PIDS" setsid sh -c "echo \\$\\$ > $PIDS; exec sleep 60" >/dev/null 2>&1 & ' +
        untilWritten(1),
    );
    expect(alive).toEqual([true]);
  });
});
