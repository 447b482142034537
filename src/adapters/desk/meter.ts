/** What is seen of slices that a server has: memory in use on one's own, and errors that break them. */
import type { LeasableSlice } from '#core/run/slice';
import type { Clock } from '#ports/clock';
import type { DriverAnswer, XidEvent } from '#ports/gpu-driver';
import type { LeaseDesk } from '#ports/lease-desk';
import type { Connection } from './connection.js';

export interface RemoteMeter {
  readonly usedMiB: (slice: LeasableSlice) => Promise<number | null>;
  readonly nextXid: (waitMs: number) => Promise<DriverAnswer<XidEvent | null>>;
}

/** Errors are rare, and each look is a request; whoever does not wait at all wants to know it now. */
const lookEveryMs = 500;

export function meterAt(desk: Pick<LeaseDesk, 'usedMiB'>, { call }: Connection, clock: Clock): RemoteMeter {
  let waiting: readonly XidEvent[] = [];
  let seen: number | null = null;
  let lookedMs = -Infinity;
  const look = async (): Promise<void> => {
    const body = { after: seen };
    const answer = (await call({ method: 'POST', path: '/v1/xids', body })) as XidAnswer;
    seen = answer.last;
    waiting = [...waiting, ...answer.events];
  };
  return {
    usedMiB: ({ id }) => desk.usedMiB(id),
    nextXid: async (waitMs) => {
      const isTime = waitMs === 0 || clock.nowMs() - lookedMs >= lookEveryMs;
      if (waiting.length === 0 && isTime) {
        lookedMs = clock.nowMs();
        await look();
      }
      const [next, ...others] = waiting;
      waiting = others;
      if (next === undefined) await clock.sleep(waitMs);
      return { ok: true, value: next ?? null };
    },
  };
}

interface XidAnswer {
  readonly last: number;
  readonly events: readonly XidEvent[];
}
