/**
 * Runners and holders killed with SIGKILL at seeded moments: no result is lost, nothing runs twice beyond what ran at
 * the kill, nobody meets anybody on a slice, and no slice stays behind. MICA_SEED=n MICA_ROUNDS=1
 * repeats one round.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { root } from '../tooling/clone.js';
import { runMica } from './run-mica.js';

const mica = join(root, 'bin/mica');
const job = resolve('test/e2e/batch-job.sh');
const simulated = ['--driver', 'simulated', '--gpus', 'rtx-pro-6000:1', '--profile', '1g.24gb'];
const rounds = Number(process.env['MICA_ROUNDS'] ?? (process.env['MICA_LONG'] === '1' ? 200 : 10));
const firstSeed = Number(process.env['MICA_SEED'] ?? 1);
const jobs = 10;
const patienceMs = 60_000;

/** Numbers between 0 and 1, always the same for a seed. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Killed that long after it began (`null`), or after it said this; what it had said by then. */
async function killed(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { afterMs, since }: { readonly afterMs: number; readonly since: RegExp | null },
): Promise<string> {
  const child = spawn(process.execPath, [mica, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  let said = '';
  let armed = false;
  const arm = (): void => {
    if (armed) return;
    armed = true;
    setTimeout(() => void child.kill('SIGKILL'), afterMs).unref();
  };
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString();
    if (since?.test(said) === true) arm();
  });
  if (since === null) arm();
  await exited;
  child.stderr.destroy();
  return said;
}

/** Whether the kill met a batch half way. */
async function round(seed: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'mica-kill-'));
  const state = { PATH: process.env['PATH'] ?? '', MICA_STATE_DIR: join(folder, 'state') };
  const env = { ...process.env, ...state };
  const chance = chances(seed);
  const when = (since: RegExp) => {
    return { afterMs: Math.floor(chance() * 900), since: chance() < 0.3 ? null : since };
  };
  // Half of them when a job has its result and others have not.
  const inBatch = chance() < 0.5 ? when(/./) : { afterMs: Math.floor(chance() * 150), since: /\[1\/10\]/ };
  const line = (index: number, kind: string): string => `${job} ${folder} ${index} ${kind}`;
  const kinds = Array.from({ length: jobs }, () => ['long', 'sleep', 'fork'][Math.floor(chance() * 3)]!);
  const list = join(folder, 'list');
  writeFileSync(list, kinds.map((kind, index) => `${line(index, kind)}\n`).join(''));
  // Cutting the card is the change engine's, which has kill rounds of its own.
  await runMica(['run', ...simulated, '--', 'true'], { env: state });
  const holder = ['run', ...simulated, '--', 'sh', '-c'];
  const [said] = await Promise.all([
    killed(['batch', list, ...simulated], env, inBatch),
    // A holder says nothing itself: what it runs does.
    killed([...holder, `echo up >&2; MICA_ATTEMPT=1 ${line(jobs, 'hang')}`], env, when(/./)),
    killed([...holder, `echo up >&2; MICA_ATTEMPT=1 ${line(jobs + 1, 'fork')}; sleep 0.3`], env, when(/./)),
  ]);
  const resumed = await runMica(['batch', '--resume', '--driver', 'simulated', '--json'], { env: state });
  const isHalf = /\[\d+\/10\]/.test(said) && !said.includes('[10/10]');
  // Killed before it was written down, or after its end: there is nothing to resume.
  if (resumed.exit !== 2) {
    expect(resumed.exit, resumed.stderr).toBe(0);
    expectWhole(JSON.parse(resumed.stdout).jobs, said, runsIn(join(folder, 'log')));
  } else if (isHalf) {
    // It had ended, and what it said last is not read any more.
    expect(runsIn(join(folder, 'log')), resumed.stderr).toEqual(kinds.map(() => 1));
  }
  // All four at once: none has leaked, long before the TTL.
  const all = await runMica(['run', '--driver', 'simulated', '--count', '4', '--wait', '20s', '--', 'true'], {
    env: state,
  });
  expect(all, all.stderr).toMatchObject({ exit: 0 });
  const { stdout } = await runMica(['ps', '--driver', 'simulated', '--json'], { env: state });
  expect(JSON.parse(stdout)).toMatchObject({ leases: [], queue: [], quarantine: [] });
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  return isHalf && resumed.exit !== 2;
}

/** How often each job ran, and that nobody met anybody. */
function runsIn(log: string): readonly number[] {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  expect(lines.filter((line) => line.startsWith('clash'))).toEqual([]);
  return Array.from(
    { length: jobs },
    (_, index) => lines.filter((line) => line.startsWith(`run ${index} `)).length,
  );
}

interface Reported {
  readonly outcome: string;
  readonly attempts: readonly { readonly result: { readonly kind: string } }[];
}

function expectWhole(reported: readonly Reported[], said: string, runs: readonly number[]): void {
  expect(reported).toHaveLength(jobs);
  for (const [index, { outcome, attempts }] of reported.entries()) {
    const ends = attempts.map(({ result }) => result.kind);
    expect(outcome, `job ${index}`).toBe('passed');
    // At most what ran when the runner was killed began again: a result is the last of a job.
    expect(ends).toEqual([...ends.slice(1).map(() => 'lost'), 'exit']);
    expect(ends.length).toBeLessThanOrEqual(2);
    expect(runs[index]).toBeGreaterThanOrEqual(1);
    expect(runs[index]).toBeLessThanOrEqual(ends.length);
  }
  expect(reported.filter(({ attempts }) => attempts.length > 1).length).toBeLessThanOrEqual(4);
  for (const [, index] of said.matchAll(/passed in .* (\d+) \w+$/gm)) {
    expect(runs[Number(index)], `job ${index} had its result`).toBe(1);
  }
}

describe('killed at any moment', () => {
  it(`${rounds} rounds leave nothing behind, lose nothing, and repeat nothing that had ended`, async () => {
    const seeds = Array.from({ length: rounds }, (_, index) => firstSeed + index);
    let half = 0;
    const lane = async (): Promise<void> => {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
        const late = wait(patienceMs, undefined, { ref: false }).then(() => {
          throw new Error(`the round took longer than ${patienceMs / 1000} s`);
        });
        const wasHalf = await Promise.race([round(seed), late]).catch((error: unknown) => {
          throw new Error(`MICA_SEED=${seed}`, { cause: error });
        });
        if (wasHalf) half += 1;
      }
    };
    // Most of a round is waiting for what it started.
    await Promise.all([lane(), lane(), lane()]);
    expect(half, 'rounds that a kill met half way').toBeGreaterThanOrEqual(Math.floor(rounds / 10));
  }, 3_600_000);
});
