/** One term of leading: the lease is renewed for as long as it lasts, and a signal aborts before it could be over. */
import type { Clock } from '#ports/clock';
import type { LeaderLease, LeaseAnswer } from '#ports/leader-lease';

export interface Held {
  readonly untilMs: number;
  /** Before it was asked for: what is left of its time is never more than from then. */
  readonly askedMs: number;
}

export interface Term {
  /** Aborts when the lease can no longer be known to be ours, or at `stop`; its reason is an Error that says why. */
  readonly signal: AbortSignal;
  /** The work is to end; until it has, others are kept off. */
  readonly stop: (why: string) => void;
  /** Nothing of it runs any more once this resolves. */
  readonly end: () => Promise<void>;
  /** As far as we heard. */
  readonly isOurs: () => boolean;
}

/** What a request may still do that was on its way when the signal aborted: it lands before others begin. */
const marginOf = (holdsMs: number): number => holdsMs / 5;
/** A machine that slept finds its timers where they were: the clock is looked at often, never slept up to. */
const ticksOf = (holdsMs: number): number => holdsMs / 30;

export function beginTerm(
  lease: LeaderLease,
  clock: Clock,
  { untilMs: firstUntilMs, askedMs }: Held,
  retryMs: number,
  onTrouble: (message: string) => void,
): Term {
  const holdsMs = firstUntilMs - askedMs;
  const leading = new AbortController();
  const over = new AbortController();
  let untilMs = firstUntilMs;
  let isOurs = true;
  let failing: string | null = null;

  const lose = (why: string): void => {
    over.abort();
    leading.abort(new Error(why));
  };

  const watch = async (): Promise<void> => {
    const tickMs = ticksOf(holdsMs);
    let lastMs = clock.nowMs();
    while (!over.signal.aborted) {
      const nowMs = clock.nowMs();
      // Slept for a tick, and less went by: the time until which it holds is one of another clock.
      if (nowMs < lastMs) {
        lose('the clock was set back, so that nobody knows how long the lease holds');
        return;
      }
      if (nowMs >= untilMs - marginOf(holdsMs)) {
        lose(whyOver(failing));
        return;
      }
      // Timers may be a little early.
      lastMs = nowMs + tickMs * 0.9;
      await clock.sleep(tickMs, over.signal);
    }
  };

  const aThirdMs = (): number => Math.max((untilMs - clock.nowMs()) / 3, ticksOf(holdsMs));

  const renew = async (): Promise<void> => {
    let pauseMs = aThirdMs();
    for (;;) {
      await clock.sleep(pauseMs, over.signal);
      if (over.signal.aborted) return;
      const answer = await askFor(lease);
      switch (answer.kind) {
        case 'other':
          isOurs = false;
          {
            lose(`${answer.holder === '' ? 'somebody else' : answer.holder} took the lease`);
            return;
          }
        case 'held':
          failing = null;
          untilMs = answer.untilMs;
          pauseMs = aThirdMs();
          break;
        case 'failed':
          if (failing === null) onTrouble(`the lease cannot be renewed: ${answer.why.message}`);
          failing = answer.why.message;
          pauseMs = Math.min(retryMs, holdsMs / 10);
      }
    }
  };

  const ended = Promise.all([watch(), renew()]);
  return {
    signal: leading.signal,
    stop: (why) => leading.abort(new Error(why)),
    end: async () => {
      over.abort();
      await ended;
    },
    isOurs: () => isOurs,
  };
}

/** One try; what it throws is no answer. */
export async function askFor(lease: LeaderLease): Promise<LeaseAnswer> {
  try {
    return await lease.hold();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', why: { kind: 'unreachable', message, retryAfterMs: null } };
  }
}

function whyOver(failing: string | null): string {
  return failing === null
    ? 'the lease was not renewed in time: this process or its machine slept, or was too busy'
    : `the lease could not be renewed: ${failing}`;
}
