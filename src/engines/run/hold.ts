/** A lease in the hands of its holder: kept by heartbeats, and fenced by its row: without the row nothing is done. */
import { MicaError } from '#core/errors';
import type { LeasableSlice } from '#core/run/slice';
import type { LeaseRecord, ProcessMark, RunTables } from '#ports/run-store';
import { clearOut, type Unclean } from './clear-out.js';
import type { Lease, LeaseUse, ReleaseAnswer } from './leases.js';
import type { LeasePorts } from './ports.js';
import { heartbeatEveryMs } from './timing.js';
import { usageOf } from './usage.js';

export function hold(ports: LeasePorts, record: LeaseRecord, slices: readonly LeasableSlice[]): Lease {
  const { store, clock } = ports;
  const lost = new AbortController();
  const over = new AbortController();
  const groups = new Map<string, ProcessMark>();
  let heardMs = record.heartbeatMs;
  let released: Promise<ReleaseAnswer> | null = null;

  /** `false`: the row is gone or somebody is taking the lease back. */
  const change = async (work: (tables: RunTables, mine: LeaseRecord) => void): Promise<boolean> => {
    const isMine = await store.transact((tables) => {
      const mine = tables.leases().find(({ id }) => id === record.id);
      if (mine?.state.kind !== 'held') return false;
      work(tables, mine);
      return true;
    });
    if (!isMine && !over.signal.aborted) lost.abort();
    return isMine;
  };
  const keep = (): Promise<boolean> => {
    const nowMs = clock.nowMs();
    return change((tables, mine) => {
      tables.putLease({ ...mine, groups: [...groups.values()], heartbeatMs: nowMs });
      heardMs = nowMs;
    });
  };
  const beat = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(heartbeatEveryMs, over.signal);
      if (isAborted(over.signal) || isAborted(lost.signal)) return;
      try {
        await keep();
      } catch {
        // A full disk may have room again; after the TTL somebody else may have the slice.
        if (clock.nowMs() - heardMs > record.ttlMs) lost.abort();
      }
    }
  };
  void beat();

  const shut = (unclean: readonly Unclean[]): Promise<void> =>
    store.transact((tables) => {
      for (const { slice, why } of unclean) {
        tables.putQuarantine({ slice, why, sinceMs: clock.nowMs() });
      }
    });
  const clean = async (): Promise<ReleaseAnswer> => {
    if (lost.signal.aborted) return { ok: true };
    const bound = [...groups];
    const unclean = await clearOut(ports, [...groups.values()], slices);
    for (const [key] of bound) groups.delete(key);
    if (bound.length > 0) await keep();
    if (unclean.length === 0 || isAborted(lost.signal)) return { ok: true };
    await shut(unclean);
    return { ok: false, quarantined: unclean };
  };
  const release = async (used: LeaseUse): Promise<ReleaseAnswer> => {
    try {
      const answer = await clean();
      over.abort();
      await change((tables, mine) => {
        tables.addUsage(usageOf(mine, slices, clock.nowMs(), used.peakMemoryMiB));
        tables.removeLease(mine.id);
      });
      return answer;
    } finally {
      over.abort();
    }
  };

  return {
    id: record.id,
    slices,
    lost: lost.signal,
    bind: async (group) => {
      groups.set(keyOf(group), group);
      if (!over.signal.aborted && (await keep())) return;
      groups.delete(keyOf(group));
      throw new MicaError('lease-lost', `lease ${record.id} is over: nothing more may run on its slices`);
    },
    unbind: async (group) => {
      if (groups.delete(keyOf(group))) await keep();
    },
    clean,
    quarantine: (slice, why) => shut([{ slice, why }]),
    release: (used = { peakMemoryMiB: null }) => (released ??= release(used)),
  };
}

/** A signal that may have changed while something was waited for. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function keyOf({ pid, startedAt }: ProcessMark): string {
  return `${pid}/${startedAt}`;
}
