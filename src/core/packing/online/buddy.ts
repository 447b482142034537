/**
 * The default rule: keep large free blocks whole, as a buddy allocator does, and fill GPUs that are begun. It needs no
 * knowledge of the demand but one bit: whether slices that use both units of an odd pair are wanted.
 */
import { countUnits, covers, overlaps, type Mask } from '#core/geometry/mask';
import type { Slot, Space } from '#core/geometry/space';
import { jointPolicy, type Policy } from './policy.js';

/** In thousandths, so that sums are exact. Tuned on seeds 1-8 of the benchmark mixes, confirmed on others. */
const weights = {
  opensGpu: 3000,
  breaksHalf: 1000,
  breaksQuarter: 500,
  freeUnit: 100,
  strandsUnit: 1500,
  startUnit: -1,
};

/**
 * Lower is better: opening an empty GPU comes last, then breaking a free half or quarter of the grid, then the fullest
 * GPU and the highest start. `keepOddPairs` also keeps slices off places where they strand a unit (see `oddPairs`).
 */
export function buddy(space: Space, { keepOddPairs }: { readonly keepOddPairs: boolean }): Policy {
  const { gridUnits } = space.card;
  const halves = blocks(gridUnits, gridUnits / 2);
  const quarters = blocks(gridUnits, gridUnits / 4);
  const stranding = new Set(keepOddPairs ? oddPairs(space).map((pair) => pair.slot) : []);
  return jointPolicy(
    keepOddPairs ? 'buddy, odd pairs kept' : 'buddy',
    (before, slot, after) =>
      (before.mask === 0 ? weights.opensGpu : 0) +
      weights.breaksHalf * broken(halves, before.mask, after.mask) +
      weights.breaksQuarter * broken(quarters, before.mask, after.mask) +
      weights.freeUnit * (gridUnits - countUnits(before.mask)) +
      (stranding.has(slot) ? weights.strandsUnit : 0) +
      weights.startUnit * slot.start,
  );
}

/** A slot that, once taken, leaves a unit which nothing can use, and the profile that would have used both. */
export interface OddPair {
  readonly slot: Slot;
  readonly usedWholeBy: number;
}

/** On a 7-slice GPU with a double-memory 1g: the plain 1g at unit 6, since nothing small starts at 7. */
export function oddPairs(space: Space): readonly OddPair[] {
  return space.slots.flatMap((slot) => {
    const beside = space.slots.filter((other) => !overlaps(other.mask, slot.mask));
    const usable = beside.reduce<Mask>((mask, other) => mask | other.mask, slot.mask);
    const stranded = covers(0, space.card.gridUnits) & ~usable;
    const whole = space.slots.find((other) => other.mask === (slot.mask | stranded));
    return stranded === 0 || whole === undefined ? [] : [{ slot, usedWholeBy: whole.profileIndex }];
  });
}

function blocks(gridUnits: number, sizeUnits: number): readonly Mask[] {
  if (!Number.isInteger(sizeUnits)) return [];
  return Array.from({ length: gridUnits / sizeUnits }, (_, index) => covers(index * sizeUnits, sizeUnits));
}

/** How many blocks were free before and are not any more. */
function broken(blockMasks: readonly Mask[], before: Mask, after: Mask): number {
  return blockMasks.filter((block) => !overlaps(block, before) && overlaps(block, after)).length;
}
