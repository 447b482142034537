import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { marked, signalProcess } from './marked-processes.js';

const PATH = process.env['PATH'];
let runs = 0;

/** Prints the pids that it starts; they are killed with the test at the latest. */
async function pidsOf(script: string, env: NodeJS.ProcessEnv): Promise<readonly number[]> {
  const child = spawn('sh', ['-c', script], { env: { PATH, ...env }, stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  await once(child, 'close');
  const pids = said.trim().split(/\s+/).map(Number);
  onTestFinished(() => {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended, as it should.
      }
    }
  });
  return pids;
}

const lineOf = (more = ''): `${string}=${string}` => `MICA_MARK=${process.pid}-${(runs += 1)}${more}`;
const envOf = (line: string): NodeJS.ProcessEnv => ({ MICA_MARK: line.slice('MICA_MARK='.length) });
const pidsMarked = (line: `${string}=${string}`) => marked(line).map(({ pid }) => pid);

it('finds what left its group and its session, and ends it', async () => {
  const line = lineOf();
  const script = 'setsid sh -c "echo \\$\\$; exec sleep 60 >/dev/null" & wait $! & sleep 0.2';
  const [pid] = await pidsOf(script, envOf(line));
  expect(pidsMarked(line)).toEqual([pid]);
  const [mark] = marked(line);
  expect(signalProcess({ ...mark!, startedAt: `${Number(mark!.startedAt) - 1}` }, 'SIGKILL')).toBe(false);
  expect(signalProcess({ ...mark!, bootId: 'another' }, 'SIGKILL')).toBe(false);
  expect(pidsMarked(line)).toEqual([pid]);
  expect(signalProcess(mark!, 'SIGTERM')).toBe(true);
  await expect.poll(() => marked(line)).toEqual([]);
  expect(signalProcess(mark!, 'SIGTERM')).toBe(false);
});

it('is exact, and does not find what cleaned its environment', async () => {
  const line = lineOf();
  const quiet = '>/dev/null 2>&1 & echo $!';
  const [one] = await pidsOf(`sleep 60 ${quiet}`, envOf(line));
  await pidsOf(`sleep 60 ${quiet}`, envOf(`${line}0`));
  await pidsOf(`sleep 60 ${quiet}`, { OTHER: line, XMICA_MARK: envOf(line)['MICA_MARK'] });
  await pidsOf(`env -i PATH="$PATH" sleep 60 ${quiet}; sleep 0.2`, envOf(line));
  // A child of the shell begins with the environment of the shell, until it becomes its program.
  await expect.poll(() => pidsMarked(line)).toEqual([one]);
});

it('never names or ends itself, pid 1, a group, or a process that has none to show', async () => {
  const at = mkdtempSync(join(tmpdir(), 'mica-proc-'));
  onTestFinished(() => rmSync(at, { recursive: true }));
  const line = lineOf();
  for (const name of ['1', String(process.pid), String(process.ppid), 'self', '4194303']) {
    mkdirSync(join(at, name));
    writeFileSync(join(at, name, 'environ'), `A=b\0${line}`);
  }
  expect(marked(line, at).map(({ pid }) => pid)).toEqual([process.ppid]);
  expect(marked(line, join(at, 'none'))).toEqual([]);
  for (const pid of [0, 1, -1, process.pid, 1.5, NaN]) {
    expect(signalProcess({ pid, startedAt: '1', bootId: null }, 'SIGKILL'), `pid ${pid}`).toBe(false);
  }
});
