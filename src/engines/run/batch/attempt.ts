/** One attempt: a job started on a slice, watched, ended whole where it must, and written down before and after. */
import type { LeasableSlice } from '#core/run/slice';
import type { RunningJob } from '#ports/job-runner';
import type { AttemptRecord, JobResult, ProcessMark } from '#ports/run-store';
import type { Lease } from '../leases.js';
import { watchMemory } from '../peak-memory.js';
import { durationKeyOf, isPass, type BatchJob } from './job.js';
import type { BatchPorts } from './ports.js';
import type { SliceWatch } from './slice-watch.js';

export interface AttemptOrder {
  readonly batch: string;
  readonly job: number;
  readonly attempt: number;
  readonly task: BatchJob;
  readonly cwd: string;
  readonly timeoutMs: number | null;
  readonly lease: Lease;
  readonly slice: LeasableSlice;
  /** Somebody stops the whole batch. */
  readonly stop: AbortSignal;
  /** Breaking its slice is no accident any more. */
  readonly hasBrokenBefore: boolean;
}

/** Time to end by itself after SIGTERM. */
const graceMs = 5000;
/** How long SIGKILL may take; whatever is there afterwards is for the lease to judge. */
const killMs = 5000;
const pollMs = 20;

export async function runAttempt(
  ports: BatchPorts,
  watch: SliceWatch,
  order: AttemptOrder,
): Promise<AttemptRecord> {
  const { store, clock, runner } = ports;
  const { batch, job, attempt, task, lease, slice } = order;
  const begun = (group: ProcessMark | null): AttemptRecord => {
    return { batch, job, attempt, slice: slice.id, group, startMs, end: null };
  };
  const startMs = clock.nowMs();
  const start = runner.start(
    {
      command: task.command,
      env: { ...ports.env, ...environmentOf(order) },
      cwd: order.cwd,
      output: { kind: 'file', path: ports.logOf({ job, attempt }) },
    },
    async (group) => {
      // The lease first: whoever finds it without its holder ends the group.
      await lease.bind(group);
      await store.transact((tables) => tables.putAttempt(begun(group)));
    },
  );
  const finish = async (record: AttemptRecord, result: JobResult, peakMemoryMiB: number | null) => {
    const ended: AttemptRecord = { ...record, end: { ms: clock.nowMs(), result, peakMemoryMiB } };
    await store.transact((tables) => {
      tables.putAttempt(ended);
      if (isPass(task, result)) tables.putDuration(durationKeyOf(task), clock.nowMs() - startMs);
    });
    return ended;
  };
  const started = await start.catch((error: unknown) => {
    // A lease that is lost takes no more groups; anything else that cannot be written down stops the batch.
    if (lease.lost.aborted) return null;
    throw error;
  });
  if (started === null) return finish(begun(null), leaseLost, null);
  if (!started.ok) {
    return finish(begun(null), { kind: 'not-started', why: started.why.message }, null);
  }
  const running = started.job;
  const watched = watch.begin(slice);
  const memory = watchMemory(ports, [slice]);
  let result: JobResult;
  try {
    result = await resultOf(ports, order, running, watched.broken);
  } catch (error) {
    running.signal('SIGKILL');
    throw error;
  } finally {
    watched.end();
  }
  return finish(begun(running.group), result, await memory.end());
}

function environmentOf({ batch, job, attempt, slice }: AttemptOrder): Readonly<Record<string, string>> {
  return {
    CUDA_VISIBLE_DEVICES: slice.device,
    MICA_BATCH: batch,
    MICA_JOB: String(job + 1),
    MICA_ATTEMPT: String(attempt),
    MICA_SLICE: slice.id,
  };
}

/** What ends an attempt before its program does. */
type Interruption =
  | { readonly kind: 'timeout' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'lease-lost' }
  | { readonly kind: 'slice-broke' };

async function resultOf(
  { clock, runner }: BatchPorts,
  { lease, stop, timeoutMs, hasBrokenBefore }: AttemptOrder,
  job: RunningJob,
  broken: AbortSignal,
): Promise<JobResult> {
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
      // A program that died of its broken slice says so no better than the slice does.
      return broken.aborted ? brokenSlice(broken, hasBrokenBefore) : first;
    }
    const isUrgent = first.kind === 'lease-lost';
    if (!isUrgent) job.signal('SIGTERM');
    await gone(isUrgent ? 0 : graceMs);
    job.signal('SIGKILL');
    await gone(killMs);
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
