/** Who of those that wait gets which slices next: by priority, then fairly between tenants, then by age. */
import { chooseWithin, fits, wishInWords } from './choose-slices.js';
import { cheapestWithin } from './quota.js';
import type { LeasableSlice, LeaseWish } from './slice.js';
import { accountsOf, leftIn, take, type Account, type TenantRights } from './tenant-rights.js';
import { usefulFor, whyBeyondQuota, whyQuotaInUse } from './within-quota.js';

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
  /** No slices of this machine will ever do, as it is cut; or none that the tenant's quota could ever hold. */
  | { readonly kind: 'impossible' | 'over-quota'; readonly why: string };

/**
 * A verdict for each, in the order of the queue. Whoever cannot be served keeps all slices that could serve it from
 * everybody behind: what is large waits for those that run, never for those that come after it. Whoever waits for the
 * quota of its own tenant keeps nothing but that quota, from those behind it that have the same one.
 */
export function judgeQueue(
  requests: readonly QueuedRequest[],
  held: readonly HeldSlices[],
  slices: readonly SliceNow[],
  usage: readonly PastUse[],
  nowMs: number,
  tenants: readonly TenantRights[],
): ReadonlyMap<string, Verdict> {
  const holding = new Set(held.flatMap((lease) => lease.slices));
  const accounts = accountsOf(
    tenants,
    held,
    slices.map(({ slice }) => slice),
  );
  const seenBy = new Map<Account, readonly SliceNow[]>();
  let free = slices
    .filter(({ kind, slice }) => kind === 'ready' && !holding.has(slice.id))
    .map(({ slice }) => slice);
  const verdicts = new Map<string, Verdict>();
  let place = 0;
  let isHead = true;
  for (const { id, wish } of inOrder(requests, held, slices, usage, nowMs)) {
    const account = accounts(wish.tenant);
    if (account === null) {
      verdicts.set(id, { kind: 'impossible', why: `this machine has no tenant ${wish.tenant ?? ''}` });
      continue;
    }
    const theirs = seenBy.get(account) ?? slices.filter(({ slice }) => account.mayUse(slice));
    seenBy.set(account, theirs);
    const open = theirs.flatMap(({ kind, slice }) =>
      kind !== 'quarantined' && fits(slice, wish.slice) ? [slice] : [],
    );
    const promised = account.isSpoken ? null : cheapestWithin(open, wish.count, leftIn(account));
    if (promised === null) {
      const never = whyNever(slices, theirs, open, wish, account);
      if (never === null) place += 1;
      verdicts.set(id, never ?? { kind: 'waits', place, why: whyQuotaInUse(wish, account) });
      account.isSpoken ||= never === null;
      continue;
    }
    const left = leftIn(account);
    const chosen = chooseWithin(free.filter(account.mayUse), wish, account.isOwn, left);
    if (chosen.ok) {
      verdicts.set(id, { kind: 'granted', slices: chosen.slices });
      free = free.filter((slice) => !chosen.slices.includes(slice));
      take(account, chosen.slices);
      isHead = false;
      continue;
    }
    place += 1;
    verdicts.set(id, { kind: 'waits', place, why: whyWaiting(theirs, holding, wish, isHead) });
    isHead = false;
    take(account, promised);
    const kept = usefulFor(open, wish, left);
    free = free.filter((slice) => !kept.has(slice));
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

/** `open`: those that fit and that it may use; `null`: it can be served some day. */
function whyNever(
  slices: readonly SliceNow[],
  theirs: readonly SliceNow[],
  open: readonly LeasableSlice[],
  wish: LeaseWish,
  account: Account,
): Verdict | null {
  const isThere = open.length >= wish.count;
  if (isThere && cheapestWithin(open, wish.count, account.limit) !== null) return null;
  if (slices.length === 0) {
    return { kind: 'impossible', why: 'this machine has no slice that could be leased' };
  }
  const shut = theirs.flatMap((one) =>
    one.kind === 'quarantined' && fits(one.slice, wish.slice)
      ? [`${one.slice.id} is in quarantine (${one.why})`]
      : [],
  );
  if (isThere) return { kind: 'over-quota', why: [whyBeyondQuota(wish, account), ...shut].join('; ') };
  const there = `this machine has ${sizesInWords(slices.map(({ slice }) => slice))}`;
  const others = slices.length - theirs.length;
  const notTheirs = others === 0 ? [] : [`${others} of them ${areOrIs(others)} dedicated to other tenants`];
  const why = [`${wishInWords(wish)} cannot be leased: ${there}`, ...notTheirs, ...shut].join('; ');
  return { kind: 'impossible', why };
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
