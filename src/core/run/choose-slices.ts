/** Which free slices serve a wish: the smallest that fit, taken so that what is left stays in one piece. */
import { formatMiB } from '../units.js';
import { amountOf, cheapestWithin, isWithin, type Amount } from './quota.js';
import type { LeasableSlice, LeaseWish, SliceWish } from './slice.js';

export type ChosenSlices =
  | { readonly ok: true; readonly slices: readonly LeasableSlice[] }
  /** `fitting`: how many of them would do. */
  | { readonly ok: false; readonly fitting: number };

export function chooseSlices(
  free: readonly LeasableSlice[],
  { slice, count }: Pick<LeaseWish, 'slice' | 'count'>,
): ChosenSlices {
  const fitting = free.filter((one) => fits(one, slice));
  if (fitting.length < count) return { ok: false, fitting: fitting.length };
  const chosen: LeasableSlice[] = [];
  let left = free;
  while (chosen.length < count) {
    const best = bestOf(fitting, left);
    if (best === null) break;
    chosen.push(best);
    left = left.filter((one) => one !== best);
  }
  return { ok: true, slices: chosen };
}

/** As `chooseSlices`, own slices first, and others than the best where those are more than is left of a quota. */
export function chooseWithin(
  free: readonly LeasableSlice[],
  { slice, count }: Pick<LeaseWish, 'slice' | 'count'>,
  isOwn: (slice: LeasableSlice) => boolean,
  left: Amount,
): ChosenSlices {
  const fitting = free.filter((one) => fits(one, slice));
  if (fitting.length < count) return { ok: false, fitting: fitting.length };
  const own = free.filter(isOwn);
  const ownCount = Math.min(count, own.filter((one) => fits(one, slice)).length);
  const rest = { slice, count: count - ownCount };
  const parts = [chooseSlices(own, { slice, count: ownCount }), chooseSlices(without(free, own), rest)];
  const best = parts.flatMap((part) => (part.ok ? part.slices : []));
  if (isWithin(amountOf(best), left)) return { ok: true, slices: best };
  const cheapest = cheapestWithin(fitting, count, left);
  return cheapest === null ? { ok: false, fitting: fitting.length } : { ok: true, slices: cheapest };
}

function without(
  slices: readonly LeasableSlice[],
  taken: readonly LeasableSlice[],
): readonly LeasableSlice[] {
  return taken.length === 0 ? slices : slices.filter((slice) => !taken.includes(slice));
}

/** A slice whose memory nobody knows serves no wish for memory. */
export function fits({ profile, memoryMiB }: LeasableSlice, wish: SliceWish): boolean {
  switch (wish.kind) {
    case 'profile':
      return profile === wish.profile;
    case 'memory':
      return memoryMiB !== null && memoryMiB >= wish.memoryMiB;
    case 'any':
      return true;
  }
}

/** `2 slices 1g.24gb`, `a slice of at least 20 GiB`. */
export function wishInWords({ slice, count }: Pick<LeaseWish, 'slice' | 'count'>): string {
  const slices = count === 1 ? 'a slice' : `${count} slices`;
  switch (slice.kind) {
    case 'profile':
      return `${slices} ${slice.profile}`;
    case 'memory':
      return `${slices} of at least ${formatMiB(slice.memoryMiB)}`;
    case 'any':
      return slices;
  }
}

/**
 * The order in which slices are taken: least memory, least of the card, then on the GPU where least is free, where the
 * longest stretch of free slices stays longest, and by id.
 */
function bestOf(fitting: readonly LeasableSlice[], left: readonly LeasableSlice[]): LeasableSlice | null {
  let best: LeasableSlice | null = null;
  let bestRank: readonly (number | string)[] = [];
  for (const slice of fitting) {
    if (!left.includes(slice)) continue;
    const others = left.filter((one) => one.gpuUuid === slice.gpuUuid && one !== slice);
    const rank = [
      slice.memoryMiB ?? Infinity,
      slice.sizeUnits / slice.gridUnits,
      others.reduce((sum, { sizeUnits, gridUnits }) => sum + sizeUnits / gridUnits, 0),
      -longestStretchUnits(others),
      slice.id,
    ];
    if (best !== null && !isBefore(rank, bestRank)) continue;
    best = slice;
    bestRank = rank;
  }
  return best;
}

function isBefore(one: readonly (number | string)[], other: readonly (number | string)[]): boolean {
  for (const [index, value] of one.entries()) {
    const against = other[index] ?? '';
    if (value !== against) return value < against;
  }
  return false;
}

function byPlace(a: LeasableSlice, b: LeasableSlice): number {
  return (a.start ?? 0) - (b.start ?? 0) || a.sizeUnits - b.sizeUnits;
}

function longestStretchUnits(slices: readonly LeasableSlice[]): number {
  let longest = 0;
  let endUnits = -1;
  let lengthUnits = 0;
  for (const { start, sizeUnits } of [...slices].sort(byPlace)) {
    const startUnits = start ?? 0;
    lengthUnits = startUnits === endUnits ? lengthUnits + sizeUnits : sizeUnits;
    endUnits = startUnits + sizeUnits;
    longest = Math.max(longest, lengthUnits);
  }
  return longest;
}
