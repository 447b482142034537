/** Batches in the store: begun, found again after their runner was gone, and ended. */
import type { AttemptRecord, BatchRecord, ProcessMark } from '#ports/run-store';
import { hasEnded, isElsewhere } from '../ports.js';
import { runnerGone, type BatchRequest } from './job.js';
import type { BatchPorts } from './ports.js';

export interface OpenBatch {
  readonly id: string;
  readonly request: BatchRequest;
  readonly startedMs: number;
  /** From earlier runners, in order of job and attempt. */
  readonly attempts: readonly AttemptRecord[];
}

export type ResumeAnswer =
  | { readonly ok: true; readonly batch: OpenBatch }
  | {
      readonly ok: false;
      readonly why: { readonly kind: 'unknown-batch' | 'nothing-open' | 'running'; readonly message: string };
    };

type StorePorts = Pick<BatchPorts, 'store' | 'clock' | 'self'>;

export async function beginBatch(
  { store, clock, self }: StorePorts,
  id: string,
  request: BatchRequest,
): Promise<OpenBatch> {
  const startedMs = clock.nowMs();
  const text = JSON.stringify({ format, ...request });
  await store.transact((tables) =>
    tables.putBatch({ id, startedMs, endedMs: null, runner: self, request: text }),
  );
  return { id, request, startedMs, attempts: [] };
}

/**
 * From now on this process runs the batch, one that has ended too: there is nothing left to run of it then. `null`: the
 * newest that has not ended and that nobody runs.
 */
export async function resumeBatch(
  ports: StorePorts & Pick<BatchPorts, 'processes' | 'runner'>,
  id: string | null,
): Promise<ResumeAnswer> {
  const { store, self } = ports;
  const taken = await store.transact((tables): ResumeAnswer => {
    // Of a runner that cannot be looked at from here, its leases and requests say whether it lives.
    const holds = (runner: ProcessMark): boolean =>
      [...tables.leases(), ...tables.requests()].some(
        ({ holder: { pid, startedAt } }) => pid === runner.pid && startedAt === runner.startedAt,
      );
    const isBusy = ({ runner, endedMs }: BatchRecord): boolean =>
      endedMs === null && !hasEnded(ports, runner) && (!isElsewhere(self, runner) || holds(runner));
    const found =
      id === null
        ? tables.batches(newestLookedAt).find((batch) => batch.endedMs === null && !isBusy(batch))
        : tables.batch(id);
    if (found === null || found === undefined) {
      return id === null
        ? refuse('nothing-open', 'no batch waits to be resumed')
        : refuse('unknown-batch', `there is no batch ${id}`);
    }
    if (isBusy(found)) return refuse('running', `batch ${found.id} is run by process ${found.runner.pid}`);
    tables.putBatch({ ...found, runner: self });
    const request = JSON.parse(found.request) as BatchRequest;
    return {
      ok: true,
      batch: { id: found.id, request, startedMs: found.startedMs, attempts: tables.attempts(found.id) },
    };
  });
  if (!taken.ok) return taken;
  return { ok: true, batch: { ...taken.batch, attempts: await closeOrphans(ports, taken.batch.attempts) } };
}

export async function endBatch({ store, clock }: StorePorts, id: string): Promise<void> {
  // With all results before it: a batch that has said that it is done is done after a loss of power too.
  await store.transact(
    (tables) => {
      const batch = tables.batch(id);
      if (batch !== null && batch.endedMs === null) tables.putBatch({ ...batch, endedMs: clock.nowMs() });
    },
    { durable: true },
  );
}

/** Attempts whose runner went: nobody can say how they end, so what is left of them is ended, and they do not count. */
async function closeOrphans(
  { store, clock, runner }: StorePorts & Pick<BatchPorts, 'runner'>,
  attempts: readonly AttemptRecord[],
): Promise<readonly AttemptRecord[]> {
  const orphans = attempts.filter(({ end }) => end === null);
  for (const { group } of orphans) if (group !== null) runner.signalGroup(group, 'SIGKILL');
  const isLeft = (): boolean => orphans.some(({ group }) => group !== null && runner.isGroupAlive(group));
  for (let waitedMs = 0; waitedMs < orphanWaitMs && isLeft(); waitedMs += orphanPollMs) {
    await clock.sleep(orphanPollMs);
  }
  const closed = attempts.map((attempt): AttemptRecord => {
    if (attempt.end !== null) return attempt;
    const result = { kind: 'lost', why: runnerGone } as const;
    return { ...attempt, end: { ms: clock.nowMs(), result, peakMemoryMiB: null } };
  });
  await store.transact((tables) => {
    for (const [place, attempt] of closed.entries()) {
      if (attempt !== attempts[place]) tables.putAttempt(attempt);
    }
  });
  return closed;
}

const format = 'mica/batch@1';
const newestLookedAt = 100;
/** Longer is for the leases to judge: they keep a slice from others while something is in it. */
const orphanWaitMs = 5000;
const orphanPollMs = 20;

function refuse(kind: (ResumeAnswer & { ok: false })['why']['kind'], message: string): ResumeAnswer {
  return { ok: false, why: { kind, message } };
}
