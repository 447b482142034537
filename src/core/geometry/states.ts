/** All layouts that one GPU can have, and the few count vectors that matter for packing. */
import { findBreach } from './budgets.js';
import { overlaps, type Mask } from './mask.js';
import type { Slot, Space } from './space.js';

/** One valid layout. A 7-slice GPU has 723 of plain profiles, an RTX PRO 6000 has 26, the empty one included. */
export interface State {
  /** In the order of `Space.slots`: large profiles first. */
  readonly slots: readonly Slot[];
  readonly mask: Mask;
  /** Instances per profile, by index of `Space.profiles`. */
  readonly counts: readonly number[];
}

/** Every valid layout that contains `taken` (default: all layouts), the layout `taken` itself first. */
export function statesOf(space: Space, taken: readonly Slot[] = []): readonly State[] {
  if (taken.length > 0) return enumerate(space, taken);
  let states = allStates.get(space);
  if (states === undefined) allStates.set(space, (states = enumerate(space, [])));
  return states;
}

/** Whether nothing more fits: no profile of the space can be added anywhere. */
export function isMaximal(space: Space, state: State): boolean {
  return !space.slots.some((slot) => canAdd(space, state, slot));
}

export function canAdd(space: Space, state: State, slot: Slot): boolean {
  return !overlaps(state.mask, slot.mask) && findBreach(space, plusOne(state.counts, slot)) === undefined;
}

/** The layouts to which nothing can be added: 78 on a 7-slice GPU, 5 on an RTX PRO 6000. */
export function maximalStates(space: Space): readonly State[] {
  return statesOf(space).filter((state) => isMaximal(space, state));
}

/**
 * What one GPU can hold beside `taken`, as counts per profile: only vectors that no other one covers (Pareto), each
 * with one layout that realises it. 28 on an empty 7-slice GPU. Counts and slots are those of the additions alone.
 */
export function patternsOf(space: Space, taken: readonly Slot[] = []): readonly State[] {
  if (taken.length > 0) return paretoOf(additions(space, taken));
  let patterns = allPatterns.get(space);
  if (patterns === undefined) allPatterns.set(space, (patterns = paretoOf(statesOf(space))));
  return patterns;
}

const allStates = new WeakMap<Space, readonly State[]>();
const allPatterns = new WeakMap<Space, readonly State[]>();

function enumerate(space: Space, taken: readonly Slot[]): readonly State[] {
  const states: State[] = [];
  const visit = (state: State, nextSlot: number): void => {
    states.push(state);
    for (const slot of space.slots.slice(nextSlot)) {
      if (!canAdd(space, state, slot)) continue;
      visit(
        { slots: [...state.slots, slot], mask: state.mask | slot.mask, counts: plusOne(state.counts, slot) },
        slot.index + 1,
      );
    }
  };
  visit(stateFrom(space, taken), 0);
  return states;
}

/** The state of slots that are known to be compatible. */
export function stateFrom(space: Space, slots: readonly Slot[]): State {
  return {
    slots,
    mask: slots.reduce<Mask>((mask, slot) => mask | slot.mask, 0),
    counts: slots.reduce<readonly number[]>(plusOne, Array<number>(space.profiles.length).fill(0)),
  };
}

function plusOne(counts: readonly number[], slot: Slot): readonly number[] {
  return counts.with(slot.profileIndex, (counts[slot.profileIndex] ?? 0) + 1);
}

function additions(space: Space, taken: readonly Slot[]): readonly State[] {
  return enumerate(space, taken).map((state) => stateFrom(space, state.slots.slice(taken.length)));
}

function paretoOf(states: readonly State[]): readonly State[] {
  const distinct = new Map(states.map((state) => [state.counts.join(), state]));
  const bySize = [...distinct.values()].sort((a, b) => b.slots.length - a.slots.length);
  const kept: State[] = [];
  for (const state of bySize) {
    if (!kept.some((other) => coversCounts(other.counts, state.counts))) kept.push(state);
  }
  return kept;
}

function coversCounts(more: readonly number[], less: readonly number[]): boolean {
  return less.every((count, index) => count <= (more[index] ?? 0));
}
