/**
 * Whether those who hold or want something are still there. A process that has ended is seen at once. One that is alive
 * and silent (stopped, or asleep with its machine) is given up only after this very observer has been awake and heard
 * nothing for the whole TTL: so that neither a clock that jumps nor a machine that slept costs anybody a lease.
 */
import type { LeaseRecord, RequestRecord } from '#ports/run-store';
import { hasEnded, type LeasePorts } from './ports.js';
import { slowestPollMs, ttlMs } from './timing.js';

type Watched = Pick<LeaseRecord | RequestRecord, 'id' | 'holder' | 'heartbeatMs'> & {
  readonly ttlMs?: number;
};

interface Heard {
  readonly heartbeatMs: number;
  readonly silentMs: number;
  readonly lookedMs: number;
}

/** Whoever looks at nobody for that long has seen them end. */
const forgetAfterMs = 600_000;
const mostHeard = 1000;

export interface Watch {
  /** To be asked about everybody, again and again. */
  readonly isGone: (one: Watched) => boolean;
}

export function watchOf(ports: Pick<LeasePorts, 'clock' | 'processes' | 'self' | 'ttlMs'>): Watch {
  const heard = new Map<string, Heard>();
  const forgetSome = (nowMs: number): void => {
    for (const [id, { lookedMs }] of heard) if (nowMs - lookedMs > forgetAfterMs) heard.delete(id);
  };
  const isSilent = ({ id, heartbeatMs, ttlMs: patienceMs = ports.ttlMs ?? ttlMs }: Watched): boolean => {
    const nowMs = ports.clock.nowMs();
    if (heard.size >= mostHeard) forgetSome(nowMs);
    const before = heard.get(id);
    // Between two looks that lie far apart it was this process that slept.
    const awakeMs = before === undefined ? 0 : Math.min(nowMs - before.lookedMs, 2 * slowestPollMs);
    const silentMs = before?.heartbeatMs === heartbeatMs ? before.silentMs + Math.max(0, awakeMs) : 0;
    heard.set(id, { heartbeatMs, silentMs, lookedMs: nowMs });
    return silentMs > patienceMs;
  };
  const isSelf = ({ pid, startedAt }: Watched['holder']): boolean =>
    pid === ports.self.pid && startedAt === ports.self.startedAt;
  return { isGone: (one) => !isSelf(one.holder) && (hasEnded(ports, one.holder) || isSilent(one)) };
}
