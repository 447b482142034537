/**
 * Rules of other schedulers and papers, to be compared with and chosen from. Each is our reading of its idea as a cost
 * over one GPU's states; none is the authors' code.
 */
import { countUnits, overlaps, wholeGrid, type Mask } from '#core/geometry/mask';
import type { Slot, Space } from '#core/geometry/space';
import { canAdd, type State } from '#core/geometry/states';
import { jointPolicy, type PlacementCost, type Policy } from './policy.js';

const lowestStart: PlacementCost = (_, slot) => slot.start;
const highestStart: PlacementCost = (_, slot) => -slot.start;
const anyGpu: PlacementCost = () => 0;

/**
 * The lowest-numbered GPU with room, lowest start. NVIDIA's DRA driver with DynamicMIG chooses alike: the Kubernetes
 * scheduler takes the first free device in name order, and names sort by GPU, then start.
 */
export function firstFit(): Policy {
  return { name: 'first-fit (DRA)', startCost: lowestStart, gpuCost: anyGpu };
}

/** The fullest GPU with room; textbook bin packing with either order of starts. */
export function bestFit(start: 'lowest start' | 'highest start'): Policy {
  return {
    name: `best-fit, ${start}`,
    startCost: start === 'lowest start' ? lowestStart : highestStart,
    gpuCost: (before) => -countUnits(before.mask),
  };
}

/** The emptiest GPU: what spreading schedulers do, InstaSlice among them (its score is the number of free slots). */
export function worstFit(): Policy {
  return { name: 'worst-fit', startCost: lowestStart, gpuCost: (before) => countUnits(before.mask) };
}

/**
 * HAMi 2.10 (github.com/Project-HAMi/HAMi, pull request 2378): 1g and 3g profiles from the highest start, the others from
 * the lowest. GPUs by its `binpack` setting; its `spread` setting is worst-fit.
 */
export function hami(space: Space): Policy {
  const fromTop = (slot: Slot): boolean => /^[13]g\./.test(space.profiles[slot.profileIndex]?.name ?? '');
  return {
    name: 'HAMi 2.10, binpack',
    startCost: (_, slot) => (fromTop(slot) ? -slot.start : slot.start),
    gpuCost: (before) => -countUnits(before.mask),
  };
}

/**
 * Least growth of fragmentation, after Zambianco, Fasol and Doriguzzi-Corin (arXiv 2511.18906): a GPU's fragmentation is
 * the size of all windows that its free units are enough for, but that are partly taken.
 */
export function leastFragmentation(space: Space): Policy {
  const fragmentation = (state: State): number => {
    const freeUnits = countUnits(wholeGrid(space.card.gridUnits) & ~state.mask);
    return space.slots
      .filter((slot) => countUnits(slot.mask) <= freeUnits && overlaps(slot.mask, state.mask))
      .reduce((sum, slot) => sum + countUnits(slot.mask), 0);
  };
  return jointPolicy('MFI-style', (before, _, after) => fragmentation(after) - fragmentation(before));
}

/**
 * Most placements left over the fleet ("maximum configuration capability"), a baseline of Siavashi and Momtazpour (GRMU,
 * arXiv 2502.01909).
 */
export function mostPlacementsLeft(space: Space): Policy {
  const capability = (state: State): number =>
    space.slots.filter((slot) => canAdd(space, state, slot)).length;
  return jointPolicy('MCC', (before, _, after) => capability(before) - capability(after));
}

/**
 * Fragmentation gradient descent, after Weng et al. (USENIX ATC 2023), with profiles in place of pods: fragmentation is
 * the free units that a profile cannot use, expected over the demand. It must be told the demand, as shares per profile.
 */
export function fragmentationGradient(space: Space, shares: readonly number[]): Policy {
  const fragmentation = (state: State): number => {
    const free = wholeGrid(space.card.gridUnits) & ~state.mask;
    return space.slotsOfProfile.reduce((sum, slots, profileIndex) => {
      const usable = slots
        .filter((slot) => canAdd(space, state, slot))
        .reduce<Mask>((mask, slot) => mask | slot.mask, 0);
      return sum + (shares[profileIndex] ?? 0) * countUnits(free & ~usable);
    }, 0);
  };
  return jointPolicy('FGD-style (knows the mix)', (before, _, after) => {
    return Math.round((fragmentation(after) - fragmentation(before)) * 1e9);
  });
}
