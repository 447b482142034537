/** Fleets in any condition, and what they hold in plain words: for tests of placing, repacking and compaction. */
import fc from 'fast-check';
import { modelByKey } from '#core/catalogue/catalogue';
import { spaceOf, type Space } from '#core/geometry/space';
import { statesOf } from '#core/geometry/states';
import { createFleet, takeSlot, type FleetIndex } from '#core/packing/online/fleet';
import { anyCard } from './random-card.js';

/** The space of a catalogue model. */
export function spaceOfModel(key: string, which: 'plain' | 'all' = 'plain'): Space {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new Error(`${key} is not in the catalogue`);
  return spaceOf(model, which);
}

/** Real cards and invented ones, with and without attribute profiles. */
export const anySpace: fc.Arbitrary<Space> = fc.oneof(
  fc.constantFrom(
    spaceOfModel('h100-80gb-sxm'),
    spaceOfModel('rtx-pro-6000-blackwell-server'),
    spaceOfModel('a30-24gb', 'all'),
  ),
  anyCard.map((card) => spaceOf(card, 'all')),
);

/** A fleet with the given state on each GPU, as indexes into `statesOf(space)`. */
export function fleetIn(space: Space, states: readonly number[]): FleetIndex {
  const fleet = createFleet(space, states.length);
  for (const [gpu, state] of states.entries()) {
    for (const slot of statesOf(space)[state]?.slots ?? []) takeSlot(fleet, gpu, slot.index);
  }
  return fleet;
}

/** Fleets of a space, each GPU in any state, of some instances on the way to full. */
export function anyFleet(
  space: Space,
  gpus: { readonly min: number; readonly max: number },
): fc.Arbitrary<FleetIndex> {
  return fc
    .array(fc.nat(statesOf(space).length - 1), { minLength: gpus.min, maxLength: gpus.max })
    .map((states) => fleetIn(space, states));
}

/** Every instance as `gpu/profile:start`, sorted. */
export function instancesOf({ table, stateOf }: FleetIndex): readonly string[] {
  return [...stateOf]
    .flatMap((state, gpu) =>
      table.states[state]!.slots.map(
        (slot) => `${gpu}/${table.space.profiles[slot.profileIndex]!.name}:${slot.start}`,
      ),
    )
    .sort();
}
