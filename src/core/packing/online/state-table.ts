/** Every layout of one GPU as a number, and where each placement and each removal leads. */
import type { Space } from '#core/geometry/space';
import { canAdd, statesOf, type State } from '#core/geometry/states';

/**
 * 723 states of 18 slots on a 7-slice GPU. States, not masks: they also cover attribute profiles, whose caps a mask
 * does not show, and they know what stands where, so that a fleet needs one number per GPU.
 */
export interface StateTable {
  readonly space: Space;
  /** State 0 is the empty GPU. */
  readonly states: readonly State[];
  /** The state after a slot is taken, at `state * slots + slot`; -1 where it cannot be. */
  readonly afterTaking: Int32Array;
  /** The state after a slot is freed, at `state * slots + slot`; -1 where it is not taken. */
  readonly afterFreeing: Int32Array;
  /** The slot that is taken at a start, at `state * gridUnits + start`; -1 where none begins. */
  readonly slotAtStart: Int32Array;
}

/** Computed once per space. */
export function stateTableOf(space: Space): StateTable {
  let table = tables.get(space);
  if (table === undefined) tables.set(space, (table = buildTable(space)));
  return table;
}

const tables = new WeakMap<Space, StateTable>();

function buildTable(space: Space): StateTable {
  const states = statesOf(space);
  const idOf = new Map(states.map((state, id) => [keyOf(state.slots.map((slot) => slot.index)), id]));
  const { gridUnits } = space.card;
  const slotCount = space.slots.length;
  const afterTaking = new Int32Array(states.length * slotCount).fill(-1);
  const afterFreeing = new Int32Array(states.length * slotCount).fill(-1);
  const slotAtStart = new Int32Array(states.length * gridUnits).fill(-1);
  for (const [id, state] of states.entries()) {
    const taken = state.slots.map((slot) => slot.index);
    for (const slot of state.slots) slotAtStart[id * gridUnits + slot.start] = slot.index;
    for (const slot of space.slots) {
      if (!canAdd(space, state, slot)) continue;
      const after = idOf.get(keyOf([...taken, slot.index]))!;
      afterTaking[id * slotCount + slot.index] = after;
      afterFreeing[after * slotCount + slot.index] = id;
    }
  }
  return { space, states, afterTaking, afterFreeing, slotAtStart };
}

function keyOf(slotIndexes: readonly number[]): string {
  return [...slotIndexes].sort((a, b) => a - b).join();
}
