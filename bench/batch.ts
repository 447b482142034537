/** How well a batch fills its slices, and what it adds to each job: beside GNU parallel with as many slots. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openRunStore } from '#adapters/sqlite/run-store';
import { durationKeyOf } from '#engines/run/batch/job';
import { jobsOf } from '#engines/run/batch/job-list';
import { atMost, type Bar, type Bench, type BenchOptions, type Outcome, type Row } from './harness.js';
import { randomFrom } from './random.js';

const mica = fileURLToPath(new URL('../bin/mica', import.meta.url));
const machines = [
  { slices: 4, gpus: 'rtx-pro-6000:1', profile: '1g.24gb' },
  { slices: 7, gpus: 'h100:1', profile: '1g.10gb' },
  { slices: 28, gpus: 'h100:4', profile: '1g.10gb' },
] as const;
type Machine = (typeof machines)[number];

const seed = 41;
const queued = 10_000;

export const batch: Bench = {
  name: 'batch',
  about: `sleeps of known, heavy-tailed lengths (Pareto 1.5, seed ${seed}) on simulated slices, real processes`,
  run: runBench,
};

async function runBench({ quick }: BenchOptions): Promise<Outcome> {
  const jobs = quick ? 100 : 500;
  const perSliceMs = quick ? 4000 : 25_000;
  const rows: Row[] = [];
  const bars: Bar[] = [];
  for (const machine of machines) {
    const { slices } = machine;
    const lengths = lengthsFor(jobs, perSliceMs * slices);
    const sumMs = lengths.reduce((sum, one) => sum + one, 0);
    const boundMs = Math.max(sumMs / slices, ...lengths);
    const list = lengths.map((ms, index) => `sleep ${(ms / 1000).toFixed(3)} # ${index}\n`).join('');
    const overhead = (ms: number): number => (ms * slices - Math.max(sumMs, boundMs)) / jobs;
    const row = (by: string, ms: number): void => {
      rows.push({
        ...{ slices, jobs, by, 'bound s': (boundMs / 1000).toFixed(2), 'makespan s': (ms / 1000).toFixed(2) },
        ...{ 'of bound': (ms / boundMs).toFixed(3), 'slot ms lost per job': overhead(ms).toFixed(1) },
      });
    };
    const ours = await runMica(machine, list, lengths);
    row('mica batch', ours);
    const theirs = runParallel(slices, list);
    if (theirs !== null) row('GNU parallel', theirs);
    bars.push(atMost(`makespan on ${slices} slices, of the lower bound`, ours / boundMs, 1.05, 3));
    if (slices === 4) bars.push(atMost('slot time lost per job on 4 slices, ms', overhead(ours), 10, 1));
  }
  const many = await runQueued(quick ? 2000 : 5000);
  rows.push({
    slices: 4,
    jobs: queued,
    by: `mica batch, stopped: ${many.done} done, ${many.perSecond.toFixed(0)}/s`,
  });
  bars.push(
    atMost(
      `first start with ${queued} jobs queued, s from the start of the process`,
      many.firstMs / 1000,
      3,
      2,
    ),
  );
  return {
    rows,
    bars,
    notes: [
      'bound: the larger of the sum over the slices and the longest job. Makespan of Mica: from the first start to the last end.',
      'Mica writes each attempt to disk (synced) before and after it, asks the driver whether the slice is empty, and keeps the output;',
      'parallel takes the list in its order and keeps no record (no --joblog); its time is that of its whole process.',
    ],
  };
}

/** Scaled so that they come to `sumMs`, and none is longer than a fifth of what a slice gets. */
function lengthsFor(jobs: number, sumMs: number): readonly number[] {
  const random = randomFrom(seed);
  const drawn = Array.from({ length: jobs }, () => Math.min(60, (1 - random.uniform()) ** (-1 / 1.5)));
  const sum = drawn.reduce((all, one) => all + one, 0);
  return drawn.map((one) => Math.round((one * sumMs) / sum));
}

async function runMica(
  { gpus, profile }: Machine,
  list: string,
  lengths: readonly number[],
): Promise<number> {
  return inFolder(async (folder, env) => {
    const file = join(folder, 'list');
    writeFileSync(file, list);
    const found = jobsOf(list, { shell: false });
    if (!found.ok) throw new Error('the list is wrong');
    const store = await openRunStore({ path: join(folder, 'simulated.json.run', 'mica.db') });
    await store.transact((tables) => {
      for (const [index, job] of found.jobs.entries())
        tables.putDuration(durationKeyOf(job), lengths[index]!);
    });
    await store.close();
    const flags = ['--driver', 'simulated', '--gpus', gpus, '--profile', profile, '--json'];
    const { status, stdout, stderr } = spawnSync(process.execPath, [mica, 'batch', file, ...flags], {
      ...{ env, encoding: 'utf8', maxBuffer: 2 ** 26 },
    });
    if (status !== 0) throw new Error(stderr);
    return (JSON.parse(stdout) as { summary: { makespanMs: number } }).summary.makespanMs;
  });
}

/** `null`: it is not on this machine. */
function runParallel(slots: number, list: string): number | null {
  const started = performance.now();
  const { error, status } = spawnSync('parallel', ['--will-cite', '-j', `${slots}`], { input: list });
  if (error !== undefined) return null;
  if (status !== 0) throw new Error(`parallel ended with ${status ?? 'a signal'}`);
  return performance.now() - started;
}

async function runQueued(forMs: number): Promise<{ firstMs: number; done: number; perSecond: number }> {
  return inFolder(async (folder, env) => {
    const file = join(folder, 'list');
    writeFileSync(file, Array.from({ length: queued }, (_, index) => `true ${index}\n`).join(''));
    const flags = ['--driver', 'simulated', '--gpus', 'rtx-pro-6000:1', '--profile', '1g.24gb'];
    const started = performance.now();
    const child = spawn(process.execPath, [mica, 'batch', file, ...flags], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let [firstMs, done] = [0, 0];
    child.stderr.on('data', (text: Buffer) => {
      if (firstMs === 0) {
        firstMs = performance.now() - started;
        setTimeout(() => child.kill('SIGINT'), forMs);
      }
      done += text.toString().split('] passed').length - 1;
    });
    await once(child, 'close');
    return { firstMs, done, perSecond: (done * 1000) / (performance.now() - started - firstMs) };
  });
}

async function inFolder<T>(work: (folder: string, env: NodeJS.ProcessEnv) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'mica-bench-batch-'));
  try {
    return await work(folder, { ...process.env, MICA_STATE_DIR: folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
