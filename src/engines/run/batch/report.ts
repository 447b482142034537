/** What a batch came to: a result per job in the order of the list, and the figures of the whole. */
import type { LeasableSlice } from '#core/run/slice';
import type { AttemptRecord } from '#ports/run-store';
import { runnerGone, verdictOf, type BatchJob, type Verdict } from './job.js';
import type { OpenBatch } from './open-batch.js';

export interface JobReport {
  readonly job: BatchJob;
  readonly verdict: Verdict;
  /** Of all attempts, those included that do not count. */
  readonly busyMs: number;
  readonly peakMemoryMiB: number | null;
  readonly attempts: readonly AttemptRecord[];
}

export interface BatchSummary {
  readonly jobs: number;
  /** Flaky ones too. */
  readonly passed: number;
  readonly failed: number;
  readonly flaky: number;
  readonly timedOut: number;
  readonly notRun: number;
  readonly slices: number;
  /** While anything ran; a pause before a resume is no part of it. */
  readonly makespanMs: number;
  readonly busyMs: number;
  /** Against one at a time; `null`: nothing ran. */
  readonly speedUp: number | null;
  /** `null`: a price or a slice is not known. */
  readonly cost: BatchCost | null;
}

export interface BatchCost {
  /** Each attempt at the price of its slice. */
  readonly slicesUsd: number;
  /** One at a time on a whole GPU, the dearest that was used. */
  readonly wholeGpuUsd: number;
}

export interface BatchReport {
  readonly batch: string;
  readonly startedMs: number;
  readonly summary: BatchSummary;
  readonly results: readonly JobReport[];
}

export interface ReportInputs {
  readonly attempts: readonly AttemptRecord[];
  readonly slices: readonly LeasableSlice[];
  /** Of a whole GPU; `null`: not known. */
  readonly usdPerGpuHour: (model: string) => number | null;
  /** Why jobs are left that never ran to an end. */
  readonly whyLeft: string;
}

export function reportOf({ id, request, startedMs }: OpenBatch, inputs: ReportInputs): BatchReport {
  const byJob = grouped(inputs.attempts);
  const results = request.jobs.map((job, place): JobReport => {
    const attempts = byJob.get(place) ?? [];
    const peaks = attempts.flatMap(({ end }) => end?.peakMemoryMiB ?? []);
    return {
      job,
      verdict: verdictOf(job, attempts, request.retries) ?? { kind: 'not-run', why: inputs.whyLeft },
      busyMs: attempts.reduce((sum, attempt) => sum + lengthMs(attempt), 0),
      peakMemoryMiB: peaks.length === 0 ? null : Math.max(...peaks),
      attempts,
    };
  });
  return { batch: id, startedMs, summary: summaryOf(results, inputs), results };
}

function summaryOf(results: readonly JobReport[], inputs: ReportInputs): BatchSummary {
  const count = (isIt: (verdict: Verdict) => boolean): number =>
    results.filter(({ verdict }) => isIt(verdict)).length;
  const makespanMs = coveredMs(inputs.attempts);
  const busyMs = results.reduce((sum, one) => sum + one.busyMs, 0);
  return {
    jobs: results.length,
    passed: count(({ kind }) => kind === 'passed'),
    failed: count(({ kind }) => kind === 'failed'),
    flaky: count((verdict) => verdict.kind === 'passed' && verdict.flaky),
    timedOut: count(({ kind }) => kind === 'timed-out'),
    notRun: count(({ kind }) => kind === 'not-run'),
    slices: new Set(inputs.attempts.map(({ slice }) => slice)).size,
    makespanMs,
    busyMs,
    speedUp: makespanMs > 0 ? busyMs / makespanMs : null,
    cost: costOf(inputs),
  };
}

function costOf({ attempts, slices, usdPerGpuHour }: ReportInputs): BatchCost | null {
  const known = new Map(slices.map((slice) => [slice.id, slice]));
  let slicesUsd = 0;
  let dearest = 0;
  let hours = 0;
  for (const attempt of attempts) {
    const slice = known.get(attempt.slice);
    const price = slice?.model == null ? null : usdPerGpuHour(slice.model);
    if (slice === undefined || price === null) return null;
    const length = lengthMs(attempt) / msPerHour;
    slicesUsd += (length * price * slice.sizeUnits) / slice.gridUnits;
    dearest = Math.max(dearest, price);
    hours += length;
  }
  return attempts.length === 0 ? null : { slicesUsd, wholeGpuUsd: hours * dearest };
}

/** How long at least one attempt was running. */
function coveredMs(attempts: readonly AttemptRecord[]): number {
  let total = 0;
  let untilMs = -Infinity;
  for (const attempt of [...attempts].sort((a, b) => a.startMs - b.startMs)) {
    const endMs = attempt.startMs + lengthMs(attempt);
    total += Math.max(0, endMs - Math.max(untilMs, attempt.startMs));
    untilMs = Math.max(untilMs, endMs);
  }
  return total;
}

/** When an attempt ended whose runner was killed is not known: it counts for nothing. */
function lengthMs({ startMs, end }: AttemptRecord): number {
  if (end === null || (end.result.kind === 'lost' && end.result.why === runnerGone)) return 0;
  return Math.max(0, end.ms - startMs);
}

function grouped(attempts: readonly AttemptRecord[]): ReadonlyMap<number, AttemptRecord[]> {
  const groups = new Map<number, AttemptRecord[]>();
  for (const attempt of attempts) {
    const group = groups.get(attempt.job);
    if (group === undefined) groups.set(attempt.job, [attempt]);
    else group.push(attempt);
  }
  return groups;
}

const msPerHour = 3_600_000;
