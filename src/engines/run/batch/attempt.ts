/** One attempt: a job started on a slice, watched, ended whole where it must, and written down before and after. */
import type { LeasableSlice } from '#core/run/slice';
import type { RunningJob } from '#ports/job-runner';
import type { AttemptRecord, JobResult, ProcessMark } from '#ports/run-store';
import { endMarked, leaseVariable } from '../clear-out.js';
import type { Lease } from '../leases.js';
import { watchMemory } from '../peak-memory.js';
import { durationKeyOf, isPass, type BatchJob } from './job.js';
import type { BatchPorts } from './ports.js';
import type { ReadyJob } from './ready-jobs.js';
import type { WatchedSlice } from './slice-watch.js';

export interface AttemptOrder {
  readonly batch: string;
  readonly ready: ReadyJob;
  readonly task: BatchJob;
  readonly timeoutMs: number | null;
  readonly lease: Lease;
  readonly slice: LeasableSlice;
  readonly watched: WatchedSlice;
  /** Somebody stops the whole batch. */
  readonly stop: AbortSignal;
  /** Breaking its slice is no accident any more. */
  readonly hasBrokenBefore: boolean;
}

export interface EndedAttempt {
  readonly record: AttemptRecord;
  /** The result is in the store; whatever is put there from now on comes after it. */
  readonly written: Promise<void>;
}

/** Time to end by itself after SIGTERM. */
const graceMs = 5000;
/** How long SIGKILL may take; whatever is there afterwards is for the lease to judge. */
const killMs = 5000;
const pollMs = 20;

export async function runAttempt(ports: BatchPorts, order: AttemptOrder): Promise<EndedAttempt> {
  const { store, clock } = ports;
  const { batch, task, lease, slice } = order;
  const { job, attempt, prepared } = order.ready;
  const startMs = clock.nowMs();
  const begun = (group: ProcessMark | null): AttemptRecord => {
    return { batch, job, attempt, slice: slice.id, group, startMs, end: null };
  };
  const finish = (record: AttemptRecord, result: JobResult, peakMemoryMiB: number | null): EndedAttempt => {
    const endMs = clock.nowMs();
    const ended: AttemptRecord = { ...record, end: { ms: endMs, result, peakMemoryMiB } };
    const written = store.transact((tables) => {
      tables.putAttempt(ended);
      if (isPass(task, result)) tables.putDuration(durationKeyOf(task), endMs - startMs);
    });
    return { record: ended, written };
  };
  if (!prepared.ok) {
    return finish(begun(null), { kind: 'not-started', why: prepared.why.message }, null);
  }
  const { group } = prepared.job;
  const opened = prepared.job.open(async () => {
    // Bound, so that whoever finds the lease without its holder ends the group; both at once, to share a commit.
    await Promise.all([lease.bind(group), store.transact((tables) => tables.putAttempt(begun(group)))]);
  }, ofSlice(order));
  const running = await opened.catch((error: unknown) => {
    // A lease that is lost takes no more groups; anything else that cannot be written down stops the batch.
    if (lease.lost.aborted) return null;
    throw error;
  });
  if (running === null) return finish(begun(null), leaseLost, null);
  const memory = watchMemory(ports, [slice]);
  let result: JobResult;
  let peakMemoryMiB: number | null;
  try {
    result = await resultOf(ports, order, running);
  } catch (error) {
    running.signal('SIGKILL');
    throw error;
  } finally {
    peakMemoryMiB = await memory.end();
  }
  return finish(begun(group), result, peakMemoryMiB);
}

/** What a job gets to know of its slice. */
function ofSlice({ lease, slice }: AttemptOrder): Readonly<Record<string, string>> {
  return { CUDA_VISIBLE_DEVICES: slice.device, MICA_SLICE: slice.id, [leaseVariable]: lease.id };
}

/** What ends an attempt before its program does. */
type Interruption =
  | { readonly kind: 'timeout' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'lease-lost' }
  | { readonly kind: 'slice-broke' };

async function resultOf(
  { clock, runner }: BatchPorts,
  { task, lease, watched, stop, timeoutMs, hasBrokenBefore }: AttemptOrder,
  job: RunningJob,
): Promise<JobResult> {
  const { broken } = watched;
  const over = new AbortController();
  const interruption = Promise.race<Interruption>([
    aborted(lease.lost, over.signal).then(() => ({ kind: 'lease-lost' })),
    aborted(broken, over.signal).then(() => ({ kind: 'slice-broke' })),
    aborted(stop, over.signal).then(() => ({ kind: 'stopped' })),
    timeoutMs === null
      ? aborted(over.signal, over.signal).then(() => ({ kind: 'stopped' }))
      : clock.sleep(timeoutMs, over.signal).then(() => ({ kind: 'timeout' })),
  ]);
  try {
    const first = await Promise.race([job.ended, interruption]);
    if (first.kind === 'exit' || first.kind === 'signal') {
      // A program that died of its broken slice says so no better than the slice does, and may be heard of first.
      if (!isPass(task, first)) await watched.settled();
      return broken.aborted ? brokenSlice(broken, hasBrokenBefore) : first;
    }
    const isUrgent = first.kind === 'lease-lost';
    if (!isUrgent) job.signal('SIGTERM');
    await gone(isUrgent ? 0 : graceMs);
    job.signal('SIGKILL');
    await gone(killMs);
    // What left the group would run on beside the next job. Whoever takes a lost lease back ends it there.
    if (!isUrgent) await endMarked({ clock, runner }, lease.id);
    switch (first.kind) {
      case 'timeout':
        return { kind: 'timeout' };
      case 'stopped':
        return { kind: 'lost', why: 'the batch was stopped' };
      case 'lease-lost':
        return leaseLost;
      case 'slice-broke':
        return brokenSlice(broken, hasBrokenBefore);
    }
  } finally {
    over.abort();
  }

  /** Waits for the whole group, since what it forked runs on when the leader has ended. */
  async function gone(waitMs: number): Promise<void> {
    for (let waitedMs = 0; waitedMs < waitMs && runner.isGroupAlive(job.group); waitedMs += pollMs) {
      await clock.sleep(pollMs);
    }
  }
}

const leaseLost: JobResult = { kind: 'lost', why: 'its lease was lost' };

function brokenSlice(broken: AbortSignal, again: boolean): JobResult {
  return { kind: again ? 'broke-slice' : 'lost', why: String(broken.reason) };
}

/** Resolves when the signal aborts, or nobody waits any more. */
function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true, signal: over });
    over.addEventListener('abort', () => resolve(), { once: true });
  });
}
