/** Headroom, and the memory that a slice or a card can be counted on for. */
import type { GpuModel, Profile } from '#core/catalogue/model';

/** Added to what a workload was seen to use, unless the user says otherwise: a tenth. */
export const defaultHeadroom = 0.1;

/** Memory to reserve for a peak of `memoryMiB`: `20480` with a tenth is `22528`. The one place where headroom is added. */
export function withHeadroom(memoryMiB: number, headroom: number): number {
  return Math.ceil(memoryMiB * (1 + headroom) - 1e-6);
}

/** Memory that can be counted on, and how that is known. `unknown`: `memoryMiB` is `null`. */
export interface UsableMemory {
  readonly memoryMiB: number | null;
  readonly from: 'recorded' | 'name' | 'unknown';
}

/**
 * The smallest figure that any driver reported. A profile that was read from a live card has one figure, its own
 * driver's. Where nobody has published one, `assumeFromName` may turn the name into a figure: that fraction of the
 * GB in it, read as GiB (0.88 holds for every profile on record).
 */
export function usableMemory(profile: Profile, assumeFromName?: number): UsableMemory {
  const recorded = profile.memoryMiBSeen?.[0] ?? profile.memoryMiB;
  if (recorded !== null) return { memoryMiB: recorded, from: 'recorded' };
  const namedGB = /\.(\d+)gb/.exec(profile.name)?.[1];
  return assumed(namedGB === undefined ? null : Number(namedGB), assumeFromName);
}

/** The same for a whole card: the total that its driver reports. */
export function wholeMemory(card: GpuModel, assumeFromName?: number): UsableMemory {
  if (card.memoryMiB !== null) return { memoryMiB: card.memoryMiB, from: 'recorded' };
  return assumed(card.memoryGB, assumeFromName);
}

function assumed(memoryGB: number | null, fraction: number | undefined): UsableMemory {
  // A name may say 0: Thor's slices have no memory of their own.
  if (memoryGB === null || memoryGB === 0 || fraction === undefined)
    return { memoryMiB: null, from: 'unknown' };
  return { memoryMiB: Math.floor(memoryGB * 1024 * fraction), from: 'name' };
}
