/** Places for a slice that are taken, and who would have to leave: listed once per kind of GPU, tried in order. */
import { overlaps } from '#core/geometry/mask';
import type { Slot } from '#core/geometry/space';
import type { StateTable } from './state-table.js';

/** A slot that others stand in, on a GPU in some state. */
export interface Window {
  readonly state: number;
  readonly slot: number;
  /** Their slots, large ones first. */
  readonly occupants: readonly number[];
}

/** Every window for a profile: few occupants first, then few units. */
export function windowsFor(table: StateTable, profileIndex: number): readonly Window[] {
  let ofTable = windowsOfTable.get(table);
  if (ofTable === undefined) windowsOfTable.set(table, (ofTable = []));
  return (ofTable[profileIndex] ??= findWindows(table, profileIndex));
}

const windowsOfTable = new WeakMap<StateTable, (readonly Window[])[]>();

function findWindows(table: StateTable, profileIndex: number): readonly Window[] {
  const { space, states } = table;
  const windows = states.flatMap((_, stateIndex) =>
    space.slotsOfProfile[profileIndex]!.flatMap((slot) =>
      waysToVacate(table, stateIndex, slot)
        // An equal slice would need, to move away, the very room that is missing.
        .filter((occupants) => occupants.every((other) => other.profileIndex !== profileIndex))
        .map((occupants) => ({ state: stateIndex, slot: slot.index, occupants })),
    ),
  );
  const units = (window: (typeof windows)[number]): number =>
    window.occupants.reduce((sum, slot) => sum + space.profiles[slot.profileIndex]!.sizeUnits, 0);
  return windows
    .sort((a, b) => a.occupants.length - b.occupants.length || units(a) - units(b))
    .map(({ state, slot, occupants }) => ({ state, slot, occupants: occupants.map(({ index }) => index) }));
}

/** Who must leave a state for a slot: those that overlap it and, where a cap or an engine still forbids it, one more. */
function waysToVacate(table: StateTable, state: number, slot: Slot): readonly (readonly Slot[])[] {
  const { slots } = table.states[state]!;
  const inTheWay = slots.filter((other) => overlaps(other.mask, slot.mask));
  const isEnough = (leaving: readonly Slot[]): boolean => {
    const slotCount = table.space.slots.length;
    const left = leaving.reduce((at, other) => table.afterFreeing[at * slotCount + other.index]!, state);
    return table.afterTaking[left * slotCount + slot.index]! >= 0;
  };
  if (isEnough(inTheWay)) return inTheWay.length === 0 ? [] : [inTheWay];
  return slots
    .filter((other) => !inTheWay.includes(other))
    .map((other) => [...inTheWay, other])
    .filter(isEnough);
}
