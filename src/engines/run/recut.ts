/**
 * Leases that may have a GPU cut anew where no free slice serves the wish: around any leases, which know nothing of it.
 * The cutting itself is another's, who takes no slice that is leased, so that a race that is lost costs a look.
 */
import { fits } from '#core/run/choose-slices';
import { recutFor, type Recut, type RecutAnswer, type RecutCard } from '#core/run/recut';
import type { LeasableSlice, LeaseWish } from '#core/run/slice';
import type { Clock } from '#ports/clock';
import type { GpuDriver } from '#ports/gpu-driver';
import type { LeaseDesk } from '#ports/lease-desk';
import type { AcquireAnswer, AcquireOptions, Leases } from './leases.js';
import { processesIn } from './machine-slices.js';
import { slowestPollMs } from './timing.js';

export interface RecutPorts {
  readonly leases: Leases;
  readonly desk: Pick<LeaseDesk, 'list'>;
  readonly driver: GpuDriver;
  readonly clock: Clock;
  readonly self: { readonly pid: number };
  /** What can be cut: all slices are idle here whose ids `isFree` has, and that are ours to destroy. */
  readonly cards: (
    isFree: (gpuUuid: string, instanceId: number | null) => boolean,
  ) => Promise<readonly RecutCard[]>;
  readonly cut: (recut: Recut) => Promise<CutAnswer>;
  readonly onRecut: (event: RecutEvent) => void;
}

export type CutAnswer =
  | { readonly ok: true }
  /** `refused`: nothing was touched, and it may go another time. */
  | { readonly ok: false; readonly refused: boolean; readonly why: string };

export type RecutEvent =
  | { readonly kind: 'cutting'; readonly recut: Recut }
  | { readonly kind: 'failed'; readonly recut: Recut; readonly why: string };

export function recutting(ports: RecutPorts): Leases {
  return { acquire: (wish, options) => acquireOrCut(ports, wish, options) };
}

/** Several lost races in a row are not one. */
const mostRaces = 5;

/** One wish on its way; once a GPU could not be cut that could have been, it is only waited for. */
interface Cutter {
  readonly tryToCut: () => Promise<Tried>;
}

type Tried =
  | { readonly kind: 'cut' }
  | { readonly kind: 'later'; readonly why: string }
  | { readonly kind: 'never'; readonly why: string };

async function acquireOrCut(
  ports: RecutPorts,
  wish: LeaseWish,
  options: AcquireOptions,
): Promise<AcquireAnswer> {
  const { clock } = ports;
  const { signal, waitMs, onQueued } = options;
  const endMs = waitMs === null ? null : clock.nowMs() + waitMs;
  const cutter = cutterFor(ports, wish);
  let said = '';
  for (let races = 0; ;) {
    const leftMs = endMs === null ? null : Math.max(0, endMs - clock.nowMs());
    const answer = await acquireWhileCutting(ports, cutter, wish, { ...options, waitMs: leftMs });
    if (answer.ok || answer.why.kind === 'aborted' || answer.why.kind === 'over-quota') return answer;
    if (answer.why.kind === 'timed-out' && leftMs !== 0) return answer;
    const tried = await cutter.tryToCut();
    if (tried.kind === 'cut' && (races += 1) <= mostRaces) continue;
    const why = tried.kind === 'cut' ? 'others were faster, again and again' : tried.why;
    const message = `${answer.why.message}; and ${why}`;
    if (tried.kind === 'never') return { ok: false, why: { kind: answer.why.kind, message } };
    if (endMs !== null && clock.nowMs() >= endMs) return { ok: false, why: { kind: 'timed-out', message } };
    races = 0;
    if (message !== said) onQueued({ place: 1, why: message });
    said = message;
    await clock.sleep(slowestPollMs, signal);
    if (signal.aborted) return { ok: false, why: { kind: 'aborted', message: 'the wait was ended' } };
  }
}

/** In its place in the queue all the time: what is cut meanwhile is granted there, as anything else that gets free. */
async function acquireWhileCutting(
  { leases, clock }: RecutPorts,
  cutter: Cutter,
  wish: LeaseWish,
  options: AcquireOptions,
): Promise<AcquireAnswer> {
  const over = new AbortController();
  const cutting: Promise<void>[] = [];
  const cutAgainAndAgain = async (): Promise<void> => {
    while (!over.signal.aborted) {
      // What fails here is told by whoever cuts; the wait goes on.
      const tried = await cutter.tryToCut().catch(() => null);
      if (tried?.kind === 'never') return;
      await clock.sleep(slowestPollMs, over.signal);
    }
  };
  try {
    return await leases.acquire(wish, {
      ...options,
      onQueued: (state) => {
        if (cutting.length === 0) cutting.push(cutAgainAndAgain());
        options.onQueued(state);
      },
    });
  } finally {
    over.abort();
    // A change of a GPU that has begun is brought to its end.
    await Promise.all(cutting);
  }
}

function cutterFor(ports: RecutPorts, wish: LeaseWish): Cutter {
  let failure: string | null = null;
  return {
    tryToCut: async () => {
      if (failure !== null) return { kind: 'never', why: failure };
      const decided = await decide(ports, wish);
      if (!decided.ok) return { kind: decided.later ? 'later' : 'never', why: decided.why };
      const { recut } = decided;
      ports.onRecut({ kind: 'cutting', recut });
      const done = await ports.cut(recut);
      if (done.ok) return { kind: 'cut' };
      const why = `GPU ${recut.gpuIndex} could not be cut anew: ${done.why}`;
      if (done.refused) return { kind: 'later', why };
      // A GPU that fails at this fails again, and each time everything on it is put back.
      failure = why;
      ports.onRecut({ kind: 'failed', recut, why: done.why });
      return { kind: 'never', why };
    },
  };
}

/** Slices that somebody in the queue could be given are not idle: they are what that wait is for. */
async function decide(ports: RecutPorts, wish: LeaseWish): Promise<RecutAnswer> {
  const { desk, driver, self, cards } = ports;
  const { slices, free: freeIds, queue } = await desk.list();
  const unleased = slices.filter(({ id }) => freeIds.includes(id));
  const inside = await processesIn(driver, unleased);
  const others = queue.filter(({ pid }) => pid !== self.pid);
  const isWanted = (slice: LeasableSlice): boolean => others.some((other) => fits(slice, other.wish.slice));
  const free = unleased.filter((slice) => (inside.get(slice.id) ?? []).length === 0 && !isWanted(slice));
  const isFree = (gpuUuid: string, instanceId: number | null): boolean =>
    free.some((slice) => slice.gpuUuid === gpuUuid && slice.instanceId === instanceId);
  return recutFor(await cards(isFree), wish, free);
}
