/** A lease in the hands of its holder: kept by heartbeats at the desk, and lost when the desk says so or is silent. */
import { MicaError } from '#core/errors';
import type { GrantedLease, KeepAnswer } from '#ports/lease-desk';
import type { ProcessMark } from '#ports/run-store';
import type { Lease, ReleaseAnswer } from './leases.js';
import type { HolderPorts } from './ports.js';
import { heartbeatEveryMs } from './timing.js';

export function hold({ desk, clock }: HolderPorts, { id, slices, ttlMs }: GrantedLease): Lease {
  const lost = new AbortController();
  const over = new AbortController();
  const groups = new Map<string, ProcessMark>();
  let heardMs = clock.nowMs();
  let released: Promise<ReleaseAnswer> | null = null;
  let last: Promise<unknown> = Promise.resolve();

  const keepNow = async (): Promise<KeepAnswer> => {
    const sentMs = clock.nowMs();
    const answer = await desk.keep(id, [...groups.values()]);
    if (answer.kind === 'kept') heardMs = sentMs;
    if (answer.kind === 'over' && !over.signal.aborted) lost.abort();
    return answer;
  };
  /** One after the other: each says all groups, and the last one counts. */
  const keep = (): Promise<KeepAnswer> => {
    const turn = last.then(keepNow);
    last = turn.catch(() => undefined);
    return turn;
  };
  const beat = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(heartbeatEveryMs(ttlMs), over.signal);
      if (isAborted(over.signal) || isAborted(lost.signal)) return;
      try {
        await keep();
      } catch {
        // A full disk may have room again, a desk may come back; after the TTL somebody else may have the slice.
        if (clock.nowMs() - heardMs > ttlMs) lost.abort();
      }
    }
  };
  void beat();

  const clean = async (): Promise<ReleaseAnswer> => {
    if (lost.signal.aborted) return { ok: true };
    const bound = [...groups.keys()];
    const answer = await desk.clean(id);
    for (const key of bound) groups.delete(key);
    if (answer.kind === 'over' && !over.signal.aborted) lost.abort();
    return answer.kind === 'unclean' ? { ok: false, quarantined: answer.slices } : { ok: true };
  };
  const release = async (peakMemoryMiB: number | null): Promise<ReleaseAnswer> => {
    try {
      const answer = await clean();
      over.abort();
      await desk.release(id, peakMemoryMiB);
      return answer;
    } finally {
      over.abort();
    }
  };

  return {
    id,
    slices,
    lost: lost.signal,
    bind: async (group) => {
      groups.set(keyOf(group), group);
      const answer = over.signal.aborted ? ({ kind: 'over' } as const) : await keep();
      if (answer.kind === 'kept') return;
      groups.delete(keyOf(group));
      if (answer.kind === 'foreign-group') throw new MicaError('foreign-process', answer.why);
      throw new MicaError('lease-lost', `lease ${id} is over: nothing more may run on its slices`);
    },
    unbind: async (group) => {
      if (groups.delete(keyOf(group))) await keep();
    },
    clean,
    quarantine: (slice, why) => desk.quarantine(id, slice, why),
    release: ({ peakMemoryMiB } = { peakMemoryMiB: null }) => (released ??= release(peakMemoryMiB)),
  };
}

/** A signal that may have changed while something was waited for. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function keyOf({ pid, startedAt }: ProcessMark): string {
  return `${pid}/${startedAt}`;
}
