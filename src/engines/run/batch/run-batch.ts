/**
 * A batch run to its end: leases are taken one after the other while jobs wait, each runs jobs until none waits, and a
 * slice that breaks goes while its job begins again elsewhere.
 */
import type { LeasableSlice } from '#core/run/slice';
import type { JobStart } from '#ports/job-runner';
import type { AttemptRecord } from '#ports/run-store';
import type { AcquireAnswer, Lease } from '../leases.js';
import { runAttempt } from './attempt.js';
import { durationKeyOf, verdictOf, type Verdict } from './job.js';
import { jobQueue, type QueuedJob } from './job-queue.js';
import { endBatch, type OpenBatch } from './open-batch.js';
import type { BatchPorts } from './ports.js';
import { discard, readyJobs, type ReadyJob } from './ready-jobs.js';
import { sliceWatch, type WatchedSlice } from './slice-watch.js';

export type BatchEvent =
  | { readonly kind: 'slice-taken'; readonly slice: LeasableSlice }
  | { readonly kind: 'slice-gone'; readonly slice: LeasableSlice; readonly why: string | null }
  | {
      readonly kind: 'started';
      readonly job: number;
      readonly attempt: number;
      readonly slice: LeasableSlice;
    }
  /** `verdict` null: it will be run again. */
  | { readonly kind: 'ended'; readonly attempt: AttemptRecord; readonly verdict: Verdict | null }
  | { readonly kind: 'queued'; readonly place: number; readonly why: string }
  | { readonly kind: 'remark'; readonly text: string };

export interface BatchOptions {
  /** Stops the batch; it can be resumed. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: BatchEvent) => void;
}

export interface BatchEnd {
  /** In order of job and attempt. */
  readonly attempts: readonly AttemptRecord[];
  /** `stopped`: by the signal; `no-slice`: no slice would ever do for what is left. */
  readonly end:
    | { readonly kind: 'done' }
    | { readonly kind: 'stopped' }
    | { readonly kind: 'no-slice'; readonly why: string };
  /** Every slice that was used. */
  readonly slices: readonly LeasableSlice[];
}

interface Ran {
  readonly record: AttemptRecord;
  /** Why the slice cannot be used any more; `null`: it can. */
  readonly why: string | null;
}

/** How often a slice that breaks under a job is an accident. */
const breaksForgiven = 1;
const broke = 'it broke';
/** Programs kept ready: enough for slices that become free at the same time. */
const mostReady = 4;

export async function runBatch(
  ports: BatchPorts,
  batch: OpenBatch,
  { signal, onEvent }: BatchOptions,
): Promise<BatchEnd> {
  const { request } = batch;
  const attemptsOf = request.jobs.map((): AttemptRecord[] => []);
  for (const attempt of batch.attempts) attemptsOf[attempt.job]?.push(attempt);
  const queue = jobQueue(await openJobs(ports, batch, attemptsOf));
  const breaks = new Map<number, number>();
  const slices = new Map<string, LeasableSlice>();
  const workers = new Set<Promise<void>>();
  const stop = new AbortController();
  /** Wakes whoever looks for slices. */
  let wake: () => void = () => undefined;
  /** Nobody waits for a slice that has nothing to run. */
  let giveUpWaiting: () => void = () => undefined;
  /** One per attempt that runs, since a signal with a hundred listeners looks like a leak. */
  const halts = new Set<AbortController>();
  const stopAll = (): void => {
    stop.abort();
    for (const halt of halts) halt.abort();
    giveUpWaiting();
    wake();
  };
  if (signal.aborted) stopAll();
  signal.addEventListener('abort', stopAll);
  const isStopped = (): boolean => stop.signal.aborted;
  const failures: unknown[] = [];
  const giveUp = (error: unknown): void => {
    failures.push(error);
    stopAll();
  };
  const ready = readyJobs({
    queue,
    clock: ports.clock,
    ahead: () => Math.min(mostReady, workers.size),
    prepare: async (job) => {
      const attempt = (attemptsOf[job]!.at(-1)?.attempt ?? 0) + 1;
      return { job, attempt, prepared: await ports.runner.prepare(startOf(ports, batch, job, attempt)) };
    },
  });

  const watch = sliceWatch(ports, (text) => onEvent({ kind: 'remark', text }));

  const acquire = async (): Promise<AcquireAnswer> => {
    const waiting = new AbortController();
    giveUpWaiting = () => waiting.abort();
    try {
      return await ports.leases.acquire(
        { slice: request.slice, count: 1, tenant: null, priority: 0 },
        {
          waitMs: null,
          signal: waiting.signal,
          onQueued: ({ place, why }) => onEvent({ kind: 'queued', place, why }),
          command: ['mica', 'batch', batch.id],
        },
      );
    } finally {
      giveUpWaiting = () => undefined;
    }
  };

  const work = async (lease: Lease): Promise<void> => {
    const slice = lease.slices[0]!;
    slices.set(slice.id, slice);
    const watched = watch.begin(slice, (text) => lease.quarantine(slice.id, text).catch(giveUp));
    let why: string | null = null;
    let peakMemoryMiB: number | null = null;
    onEvent({ kind: 'slice-taken', slice });
    try {
      await watch.listening;
      while (why === null && !stop.signal.aborted) {
        const next = ready.take();
        if (ready.size() === 0) giveUpWaiting();
        if (next === undefined) break;
        const job = await next;
        if (isStopped()) {
          await discard(job);
          break;
        }
        if (watched.isBroken()) {
          why = broke;
          await discard(job);
          queue.putBack(job.job);
          wake();
          break;
        }
        const ran = await runJob(job, lease, watched);
        why = ran.why;
        const used = ran.record.end?.peakMemoryMiB ?? null;
        if (used !== null) peakMemoryMiB = Math.max(peakMemoryMiB ?? 0, used);
      }
    } finally {
      const released = await lease.release({ peakMemoryMiB }).finally(watched.end);
      if (!released.ok) why ??= released.quarantined.map((one) => one.why).join('; ');
      onEvent({ kind: 'slice-gone', slice, why });
    }
  };

  const runJob = async (next: ReadyJob, lease: Lease, watched: WatchedSlice): Promise<Ran> => {
    const { job, attempt } = next;
    const slice = lease.slices[0]!;
    const mine = attemptsOf[job]!;
    const task = request.jobs[job]!;
    onEvent({ kind: 'started', job, attempt, slice });
    const halt = new AbortController();
    halts.add(halt);
    const { record, written } = await runAttempt(ports, {
      ...{ batch: batch.id, ready: next, task, timeoutMs: request.timeoutMs, lease, slice, watched },
      stop: halt.signal,
      hasBrokenBefore: (breaks.get(job) ?? 0) >= breaksForgiven,
    }).finally(() => halts.delete(halt));
    mine.push(record);
    if (watched.isBroken()) breaks.set(job, (breaks.get(job) ?? 0) + 1);
    const verdict = verdictOf(task, mine, request.retries);
    if (verdict === null && !stop.signal.aborted) {
      if (record.end?.result.kind === 'lost') queue.putBack(job);
      else queue.retry(job);
      wake();
    }
    // The slice is looked at while the result is written down; the next job comes after both.
    const said = written.then(() => onEvent({ kind: 'ended', attempt: record, verdict }));
    const [why] = await Promise.all([unusable(record, lease, watched), said]);
    return { record, why };
  };

  const unusable = async (
    record: AttemptRecord,
    lease: Lease,
    watched: WatchedSlice,
  ): Promise<string | null> => {
    if (lease.lost.aborted) return 'the lease was lost';
    if (watched.isBroken()) return broke;
    if (record.group === null) return null;
    const clean = await lease.clean();
    if (!clean.ok) return clean.quarantined.map((one) => one.why).join('; ');
    await lease.unbind(record.group);
    return null;
  };

  const watching = new AbortController();
  const watched = watch.run(watching.signal);
  let refusal: string | null = null;
  try {
    while (!stop.signal.aborted) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      if (ready.size() > 0 && workers.size < (request.most ?? Infinity)) {
        const answer = await acquire();
        if (answer.ok) {
          const worker = work(answer.lease)
            .catch(giveUp)
            .finally(() => {
              workers.delete(worker);
              wake();
            });
          workers.add(worker);
          continue;
        }
        if (answer.why.kind === 'aborted') continue;
        if (workers.size === 0) {
          refusal = answer.why.message;
          break;
        }
      } else if (workers.size === 0) {
        break;
      }
      await woken;
    }
  } finally {
    if (refusal === null && ready.size() > 0) stopAll();
    await Promise.all(workers);
    await ready.close();
    signal.removeEventListener('abort', stopAll);
    watching.abort();
    await watched;
  }
  if (failures.length > 0) throw failures[0];
  const isOver = attemptsOf.every(
    (attempts, job) => verdictOf(request.jobs[job]!, attempts, request.retries) !== null,
  );
  if (isOver) await endBatch(ports, batch.id);
  return {
    attempts: attemptsOf.flat(),
    slices: [...slices.values()],
    end: isOver
      ? { kind: 'done' }
      : refusal === null
        ? { kind: 'stopped' }
        : { kind: 'no-slice', why: refusal },
  };
}

function startOf(ports: BatchPorts, batch: OpenBatch, job: number, attempt: number): JobStart {
  const { jobs, cwd } = batch.request;
  return {
    command: jobs[job]!.command,
    env: { ...ports.env, MICA_BATCH: batch.id, MICA_JOB: String(job + 1), MICA_ATTEMPT: String(attempt) },
    cwd,
    output: { kind: 'file', path: ports.logOf({ job, attempt }) },
  };
}

async function openJobs(
  { store }: BatchPorts,
  { request }: OpenBatch,
  attemptsOf: readonly (readonly AttemptRecord[])[],
): Promise<readonly QueuedJob[]> {
  const open = request.jobs.flatMap((job, place) =>
    verdictOf(job, attemptsOf[place]!, request.retries) === null ? [{ job, place }] : [],
  );
  return store.read((tables) =>
    open.map(({ job, place }) => ({
      job: place,
      durationMs: tables.durationMs(durationKeyOf(job)),
      isRetry: attemptsOf[place]!.some(({ end }) => end !== null && end.result.kind !== 'lost'),
    })),
  );
}
