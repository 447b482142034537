/** How much of a machine somebody may hold at once, and the cheapest slices that stay within it. */
import { formatMiB } from '../units.js';
import type { LeasableSlice } from './slice.js';

/** `null`: no limit. */
export interface Quota {
  readonly slices: number | null;
  readonly memoryMiB: number | null;
  /** Of the placement units of the GPUs that have slices: 0.5 is half of the machine. */
  readonly share: number | null;
}

/** What a quota limits, of some slices. */
export interface Amount {
  readonly slices: number;
  /** Infinity where nobody knows how much a slice has: a quota of memory never holds it. */
  readonly memoryMiB: number;
  readonly cards: number;
}

export const noQuota: Quota = { slices: null, memoryMiB: null, share: null };

const nothing: Amount = { slices: 0, memoryMiB: 0, cards: 0 };

export function amountOf(slices: readonly LeasableSlice[]): Amount {
  return slices.reduce((sum, slice) => plus(sum, oneOf(slice)), nothing);
}

function oneOf({ memoryMiB, sizeUnits, gridUnits }: LeasableSlice): Amount {
  return { slices: 1, memoryMiB: memoryMiB ?? Infinity, cards: sizeUnits / gridUnits };
}

export function plus(one: Amount, other: Amount): Amount {
  return {
    slices: one.slices + other.slices,
    memoryMiB: one.memoryMiB + other.memoryMiB,
    cards: one.cards + other.cards,
  };
}

function times(one: Amount, count: number): Amount {
  // No slice has no memory, even where a slice has nobody knows how much.
  if (count === 0) return nothing;
  return { slices: count, memoryMiB: one.memoryMiB * count, cards: one.cards * count };
}

/** What a quota lets somebody hold on a machine of that many GPUs. */
export function limitOf({ slices, memoryMiB, share }: Quota, cards: number): Amount {
  return {
    slices: slices ?? Infinity,
    memoryMiB: memoryMiB ?? Infinity,
    cards: share === null ? Infinity : share * cards,
  };
}

export function leftOf(limit: Amount, used: Amount): Amount {
  // What has no limit stays without one, however much of it is used.
  const left = (most: number, taken: number): number => (most === Infinity ? Infinity : most - taken);
  return {
    slices: left(limit.slices, used.slices),
    memoryMiB: left(limit.memoryMiB, used.memoryMiB),
    cards: left(limit.cards, used.cards),
  };
}

/** Shares of cards are sums of fractions. */
const dust = 1e-9;

export function isWithin(amount: Amount, limit: Amount): boolean {
  return (
    amount.slices <= limit.slices && amount.memoryMiB <= limit.memoryMiB && amount.cards <= limit.cards + dust
  );
}

/**
 * That many of these slices within a limit, those with the least memory where it is limited; `null`: no choice of them
 * stays within.
 */
export function cheapestWithin(
  slices: readonly LeasableSlice[],
  count: number,
  limit: Amount,
): readonly LeasableSlice[] | null {
  if (!isWithin({ ...nothing, slices: count }, limit) || count > slices.length) return null;
  if (limit.memoryMiB === Infinity && limit.cards === Infinity) return slices.slice(0, count);
  const sizes = bySize(slices);
  // What has the least memory may take more of its card than something else: both limits are looked at together.
  let choices: Choice[][] = [[{ amount: nothing, counts: [] }]];
  for (const { one, members } of sizes) {
    const next: Choice[][] = [];
    for (const [before, list] of choices.entries()) {
      for (const { amount, counts } of list) {
        for (let more = 0; more <= members.length && before + more <= count; more += 1) {
          const sum = plus(amount, times(one, more));
          if (!isWithin(sum, limit)) break;
          add((next[before + more] ??= []), { amount: sum, counts: [...counts, more] });
        }
      }
    }
    choices = Array.from(next, (list?: Choice[]) => list ?? []);
  }
  const [best] = [...(choices[count] ?? [])].sort((a, b) => a.amount.memoryMiB - b.amount.memoryMiB);
  return best === undefined
    ? null
    : sizes.flatMap(({ members }, index) => members.slice(0, best.counts[index] ?? 0));
}

/** Slices that are as good as one another, least memory first. */
interface Size {
  readonly one: Amount;
  readonly members: LeasableSlice[];
}

function bySize(slices: readonly LeasableSlice[]): readonly Size[] {
  const sizes: Size[] = [];
  for (const slice of slices) {
    const one = oneOf(slice);
    const known = sizes.find((size) => size.one.memoryMiB === one.memoryMiB && size.one.cards === one.cards);
    if (known === undefined) sizes.push({ one, members: [slice] });
    else known.members.push(slice);
  }
  for (const { members } of sizes) members.sort((a, b) => (a.id < b.id ? -1 : 1));
  return sizes.sort((a, b) => (a.one.memoryMiB < b.one.memoryMiB ? -1 : 1));
}

/** How many of each size. */
interface Choice {
  readonly amount: Amount;
  readonly counts: readonly number[];
}

/** Keeps only choices that no other beats in both memory and cards. */
function add(choices: Choice[], choice: Choice): void {
  const isBeaten = ({ amount }: Choice, by: Choice): boolean =>
    by.amount.memoryMiB <= amount.memoryMiB && by.amount.cards <= amount.cards + dust;
  if (choices.some((one) => isBeaten(choice, one))) return;
  choices.splice(0, choices.length, ...choices.filter((one) => !isBeaten(one, choice)), choice);
}

/** `2 slices, 40 GiB and 50 % of the machine`; `no limit`. */
export function quotaInWords({ slices, memoryMiB, share }: Quota): string {
  const parts = [
    ...(slices === null ? [] : [slices === 1 ? '1 slice' : `${slices} slices`]),
    ...(memoryMiB === null ? [] : [memoryMiB === Infinity ? 'memory of unknown size' : formatMiB(memoryMiB)]),
    ...(share === null ? [] : [`${Math.round(share * 1000) / 10} % of the machine`]),
  ];
  if (parts.length === 0) return 'no limit';
  return parts.length < 3 ? parts.join(' and ') : `${parts.slice(0, 2).join(', ')} and ${parts[2] ?? ''}`;
}
