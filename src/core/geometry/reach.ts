/** What a partly cut GPU can still become: free places, remaining capacity, and units that no profile can use. */
import { countUnits, wholeGrid, type Mask } from './mask.js';
import type { Slot, Space } from './space.js';
import { canAdd, isMaximal, stateFrom, statesOf } from './states.js';

/** Answers for one layout. */
export interface Reach {
  /** Units without an instance. */
  readonly freeMask: Mask;
  /** Free units that no profile can cover any more, e.g. unit 7 of an H100 beside a 1g at 6. */
  readonly strandedMask: Mask;
  /** How many of each profile could still be added if nothing else were, by profile name. */
  readonly remaining: Readonly<Record<string, number>>;
  /** Maximal layouts that contain this one: how open the future still is. */
  readonly maximalLayouts: number;
  /** Places where something can be added right now. */
  readonly openSlots: readonly Slot[];
}

/** What the GPU with these slots taken can still become. */
export function reachOf(space: Space, taken: readonly Slot[]): Reach {
  const state = stateFrom(space, taken);
  const reachable = statesOf(space, taken);
  const openSlots = space.slots.filter((slot) => canAdd(space, state, slot));
  const freeMask = wholeGrid(space.card.gridUnits) & ~state.mask;
  const usable = openSlots.reduce<Mask>((mask, slot) => mask | slot.mask, 0);
  return {
    freeMask,
    strandedMask: freeMask & ~usable,
    remaining: Object.fromEntries(
      space.profiles.map((profile, index) => [
        profile.name,
        Math.max(...reachable.map((other) => (other.counts[index] ?? 0) - (state.counts[index] ?? 0))),
      ]),
    ),
    maximalLayouts: reachable.filter((other) => isMaximal(space, other)).length,
    openSlots,
  };
}

/** How much a layout leaves open, cheap to compare: units that open slots could fill, counted per slot. */
export function openness(space: Space, taken: readonly Slot[]): number {
  const state = stateFrom(space, taken);
  return space.slots
    .filter((slot) => canAdd(space, state, slot))
    .reduce((sum, slot) => sum + countUnits(slot.mask), 0);
}
