/** Who of those that wait gets which slices next: by priority, then fairly between tenants, then by age. */
import { chooseSlices, fits, wishInWords } from './choose-slices.js';
import type { LeasableSlice, LeaseWish } from './slice.js';

export interface QueuedRequest {
  readonly id: string;
  readonly wish: LeaseWish;
  readonly askedMs: number;
}

export interface HeldSlices {
  readonly slices: readonly string[];
  readonly wish: Pick<LeaseWish, 'tenant'>;
}

/** What somebody has used, and is done with. */
export interface PastUse {
  readonly tenant: string | null;
  readonly slices: readonly { readonly sizeUnits: number; readonly gridUnits: number }[];
  readonly startMs: number;
  readonly endMs: number;
}

export type SliceNow =
  | { readonly kind: 'ready'; readonly slice: LeasableSlice }
  /** Somebody who has no lease is in it, and may leave. */
  | { readonly kind: 'taken'; readonly slice: LeasableSlice; readonly why: string }
  /** Nobody gets it until somebody has looked. */
  | { readonly kind: 'quarantined'; readonly slice: LeasableSlice; readonly why: string };

export type Verdict =
  | { readonly kind: 'granted'; readonly slices: readonly LeasableSlice[] }
  /** `place` counts from 1 over those that wait. */
  | { readonly kind: 'waits'; readonly place: number; readonly why: string }
  | { readonly kind: 'impossible'; readonly why: string };

/**
 * A verdict for each, in the order of the queue. Whoever cannot be served keeps all slices that could serve it from
 * everybody behind: what is large waits for those that run, never for those that come after it.
 */
export function judgeQueue(
  requests: readonly QueuedRequest[],
  held: readonly HeldSlices[],
  slices: readonly SliceNow[],
  usage: readonly PastUse[],
  nowMs: number,
): ReadonlyMap<string, Verdict> {
  const holding = new Set(held.flatMap((lease) => lease.slices));
  const open = slices.filter(({ kind }) => kind !== 'quarantined').map(({ slice }) => slice);
  let free = slices
    .filter(({ kind, slice }) => kind === 'ready' && !holding.has(slice.id))
    .map(({ slice }) => slice);
  const verdicts = new Map<string, Verdict>();
  let place = 0;
  let isHead = true;
  for (const { id, wish } of inOrder(requests, held, slices, usage, nowMs)) {
    if (!chooseSlices(open, wish).ok) {
      verdicts.set(id, { kind: 'impossible', why: whyImpossible(slices, wish) });
      continue;
    }
    const chosen = chooseSlices(free, wish);
    if (chosen.ok) {
      verdicts.set(id, { kind: 'granted', slices: chosen.slices });
      free = free.filter((slice) => !chosen.slices.includes(slice));
      isHead = false;
      continue;
    }
    place += 1;
    verdicts.set(id, { kind: 'waits', place, why: whyWaiting(slices, holding, wish, isHead) });
    isHead = false;
    free = free.filter((slice) => !fits(slice, wish.slice));
  }
  return verdicts;
}

/** Use counts for less the longer ago it was. */
const halfLifeMs = 3_600_000;

export function inOrder<Request extends QueuedRequest>(
  requests: readonly Request[],
  held: readonly HeldSlices[],
  slices: readonly SliceNow[],
  usage: readonly PastUse[],
  nowMs: number,
): readonly Request[] {
  const shareOf = new Map(slices.map(({ slice }) => [slice.id, slice.sizeUnits / slice.gridUnits]));
  const now = sums(
    held.map(({ wish, slices: ids }) => [
      wish.tenant,
      ids.reduce((sum, id) => sum + (shareOf.get(id) ?? 0), 0),
    ]),
  );
  const past = sums(
    usage.map((use) => [
      use.tenant,
      use.slices.reduce((sum, { sizeUnits, gridUnits }) => sum + sizeUnits / gridUnits, 0) *
        Math.max(0, use.endMs - use.startMs) *
        0.5 ** (Math.max(0, nowMs - use.endMs) / halfLifeMs),
    ]),
  );
  const rankOf = ({ wish: { tenant, priority }, askedMs }: Request): readonly number[] => [
    -priority,
    now.get(tenant) ?? 0,
    past.get(tenant) ?? 0,
    askedMs,
  ];
  return requests
    .map((request) => ({ request, rank: rankOf(request) }))
    .sort((a, b) => byRank(a.rank, b.rank) || (a.request.id < b.request.id ? -1 : 1))
    .map(({ request }) => request);
}

function byRank(one: readonly number[], other: readonly number[]): number {
  for (const [index, value] of one.entries()) {
    const difference = value - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function sums(entries: readonly (readonly [string | null, number])[]): ReadonlyMap<string | null, number> {
  const totals = new Map<string | null, number>();
  for (const [key, amount] of entries) totals.set(key, (totals.get(key) ?? 0) + amount);
  return totals;
}

function whyWaiting(
  slices: readonly SliceNow[],
  holding: ReadonlySet<string>,
  wish: LeaseWish,
  isHead: boolean,
): string {
  const fitting = slices.filter(({ slice }) => fits(slice, wish.slice));
  const leased = fitting.filter(({ slice }) => holding.has(slice.id)).length;
  const taken = fitting.flatMap((one) =>
    one.kind === 'taken' && !holding.has(one.slice.id) ? [one.why] : [],
  );
  const parts = [
    ...(leased === 0 ? [] : [`${leased} of ${fitting.length} that would do ${areOrIs(leased)} leased`]),
    ...taken,
    ...(isHead ? [] : ['others were first']),
  ];
  return parts.join('; ');
}

function whyImpossible(slices: readonly SliceNow[], wish: LeaseWish): string {
  if (slices.length === 0) return 'this machine has no slice that could be leased';
  const fitting = slices.filter(({ slice }) => fits(slice, wish.slice));
  const shut = fitting.flatMap((one) =>
    one.kind === 'quarantined' ? [`${one.slice.id} is in quarantine (${one.why})`] : [],
  );
  const there = `this machine has ${sizesInWords(slices.map(({ slice }) => slice))}`;
  const wanted = `${wishInWords(wish)} cannot be leased`;
  return [`${wanted}: ${there}`, ...shut].join('; ');
}

/** `4 x 1g.24gb, 1 x whole GPU`. */
function sizesInWords(slices: readonly LeasableSlice[]): string {
  const counts = new Map<string, number>();
  for (const { profile } of slices) {
    const name = profile ?? 'whole GPU';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} x ${name}`).join(', ');
}

function areOrIs(count: number): string {
  return count === 1 ? 'is' : 'are';
}
