/** How well a batch fills its slices, what it adds to each job, and 10,000 jobs: beside GNU parallel with as many slots. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openRunStore } from '#adapters/sqlite/run-store';
import { durationKeyOf } from '#engines/run/batch/job';
import { jobsOf } from '#engines/run/batch/job-list';
import {
  atLeast,
  atMost,
  type Bar,
  type Bench,
  type BenchOptions,
  type Outcome,
  type Row,
} from './harness.js';
import { measured, type Measured } from './measured.js';
import { randomFrom } from './random.js';

const mica = fileURLToPath(new URL('../bin/mica', import.meta.url));

interface Machine {
  readonly slices: number;
  readonly gpus: string;
  readonly profile: string;
}
const four: Machine = { slices: 4, gpus: 'rtx-pro-6000:1', profile: '1g.24gb' };
const seven: Machine = { slices: 7, gpus: 'h100:1', profile: '1g.10gb' };
const twentyEight: Machine = { slices: 28, gpus: 'h100:4', profile: '1g.10gb' };

/** Work per slice: a mean job has 160, 280 and 560 ms. */
const fills = [
  { machine: four, perSliceMs: 20_000 },
  { machine: seven, perSliceMs: 20_000 },
  { machine: twentyEight, perSliceMs: 10_000 },
] as const;
const seed = 41;
const jobs = 500;
const shortJobs = 1000;
const shortMs = 50;
const queued = 10_000;

export const batch: Bench = {
  name: 'batch',
  about: `${jobs} sleeps of known lengths (Pareto 1.5 cut at 60 times the shortest, seed ${seed}), ${shortJobs} of ${shortMs} ms, and ${queued} that end at once; real processes on simulated slices`,
  run: runBench,
};

async function runBench({ quick }: BenchOptions): Promise<Outcome> {
  const part = quick ? 0.2 : 1;
  const rows: Row[] = [];
  const bars: Bar[] = [];
  for (const { machine, perSliceMs } of fills) {
    const { slices } = machine;
    const lengths = lengthsFor(jobs * part, perSliceMs * slices * part);
    const { ours } = await beside(rows, machine, lengths);
    bars.push(atMost(`makespan on ${slices} slices, of the lower bound`, ours, 1.05, 3));
  }
  const short = Array.from({ length: shortJobs * part }, () => shortMs);
  const { lostMs } = await beside(rows, four, short);
  bars.push(atMost('time of its slice lost per short job on 4 slices, ms', lostMs, 10, 1));
  const many = await runMany(queued * part);
  rows.push(many.row);
  bars.push(atLeast(`of ${queued * part} queued jobs passed`, many.passed, queued * part, 0));
  return {
    rows,
    bars,
    notes: [
      'bound: the larger of the sum over the slices and the longest job. CPU s: of the process and all its children.',
      'Mica: from the first start to the last end; it writes each attempt down before and after, binds and empties the slice, keeps the output.',
      'parallel: its whole process, given the jobs longest first, without --joblog; lost per job: (makespan x slices - sum) / jobs.',
    ],
  };
}

/** Rows of both on one machine; the answer is of Mica. */
async function beside(
  rows: Row[],
  machine: Machine,
  lengths: readonly number[],
): Promise<{ readonly ours: number; readonly lostMs: number }> {
  const { slices } = machine;
  const sorted = [...lengths].sort((a, b) => b - a);
  const sumMs = lengths.reduce((sum, one) => sum + one, 0);
  const boundMs = Math.max(sumMs / slices, sorted[0] ?? 0);
  const lost = (ms: number): number => (ms * slices - sumMs) / lengths.length;
  const rowOf = (by: string, makespanMs: number, { wallMs, cpuMs }: Measured): Row => ({
    ...{ slices, jobs: lengths.length, 'mean ms': (sumMs / lengths.length).toFixed(0), by },
    ...{ 'bound s': inSeconds(boundMs), 'makespan s': inSeconds(makespanMs), 'process s': inSeconds(wallMs) },
    'of bound': (makespanMs / boundMs).toFixed(3),
    'lost ms/job': lost(makespanMs).toFixed(1),
    'CPU s': inSeconds(cpuMs),
  });
  const ours = await runMica(machine, lengths);
  rows.push(rowOf('mica batch', ours.makespanMs, ours.measured));
  const theirs = await runParallel(slices, sorted);
  if (theirs !== null) rows.push(rowOf('GNU parallel', theirs.wallMs, theirs));
  return { ours: ours.makespanMs / boundMs, lostMs: lost(ours.makespanMs) };
}

/** Scaled so that they come to `sumMs`. */
function lengthsFor(count: number, sumMs: number): readonly number[] {
  const random = randomFrom(seed);
  const drawn = Array.from({ length: count }, () => Math.min(60, (1 - random.uniform()) ** (-1 / 1.5)));
  const sum = drawn.reduce((all, one) => all + one, 0);
  return drawn.map((one) => Math.round((one * sumMs) / sum));
}

function listOf(lengths: readonly number[]): string {
  return lengths.map((ms, index) => `sleep ${(ms / 1000).toFixed(3)} # ${index}\n`).join('');
}

async function runMica(
  { gpus, profile }: Machine,
  lengths: readonly number[],
): Promise<{ readonly makespanMs: number; readonly measured: Measured }> {
  return inFolder(async (folder, env) => {
    const file = join(folder, 'list');
    writeFileSync(file, listOf(lengths));
    const found = jobsOf(listOf(lengths), { shell: false });
    if (!found.ok) throw new Error('the list is wrong');
    const store = await openRunStore({ path: storeIn(folder) });
    await store.transact((tables) => {
      for (const [index, job] of found.jobs.entries())
        tables.putDuration(durationKeyOf(job), lengths[index]!);
    });
    await store.close();
    const flags = ['--driver', 'simulated', '--gpus', gpus, '--profile', profile, '--json'];
    const ran = await measured([process.execPath, mica, 'batch', file, ...flags], env);
    if (ran?.status !== 0) throw new Error(ran?.stderr);
    const { summary } = JSON.parse(ran.stdout) as { summary: { makespanMs: number } };
    return { makespanMs: summary.makespanMs, measured: ran };
  });
}

/** `null`: it is not on this machine. */
async function runParallel(slots: number, lengths: readonly number[]): Promise<Measured | null> {
  return inFolder(async (folder) => {
    const file = join(folder, 'list');
    writeFileSync(file, listOf(lengths));
    const ran = await measured(['parallel', '--will-cite', '-j', `${slots}`, '-a', file], process.env);
    if (ran !== null && ran.status !== 0) throw new Error(ran.stderr);
    return ran;
  });
}

async function runMany(count: number): Promise<{ readonly row: Row; readonly passed: number }> {
  const { gpus, profile, slices } = twentyEight;
  return inFolder(async (folder, env) => {
    const file = join(folder, 'list');
    writeFileSync(file, Array.from({ length: count }, (_, index) => `true ${index}\n`).join(''));
    const flags = ['--driver', 'simulated', '--gpus', gpus, '--profile', profile, '--json'];
    const ran = await measured([process.execPath, mica, 'batch', file, ...flags], env);
    if (ran === null || ran.stdout === '') throw new Error(ran?.stderr);
    const { summary } = JSON.parse(ran.stdout) as { summary: { makespanMs: number; passed: number } };
    const row: Row = {
      ...{ slices, jobs: count, 'mean ms': 0, by: 'mica batch', 'makespan s': inSeconds(summary.makespanMs) },
      ...{ 'process s': inSeconds(ran.wallMs), 'CPU s': inSeconds(ran.cpuMs) },
      'peak MiB': ran.peakMiB.toFixed(0),
      'store MiB': (storeBytes(folder) / 2 ** 20).toFixed(1),
      'jobs/s': (count / (summary.makespanMs / 1000)).toFixed(0),
    };
    return { row, passed: summary.passed };
  });
}

function storeIn(folder: string): string {
  return join(folder, 'simulated.json.run', 'mica.db');
}

function storeBytes(folder: string): number {
  const sizes = [storeIn(folder), `${storeIn(folder)}-wal`].map((path) =>
    statSync(path, { throwIfNoEntry: false }),
  );
  return sizes.reduce((sum, one) => sum + (one?.size ?? 0), 0);
}

function inSeconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}

async function inFolder<T>(work: (folder: string, env: NodeJS.ProcessEnv) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'mica-bench-batch-'));
  try {
    return await work(folder, { ...process.env, MICA_STATE_DIR: folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
