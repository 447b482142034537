/** Many GPUs of one model, indexed by what stands on each: mutable, and made for 100,000 GPUs and more. */
import type { Space } from '#core/geometry/space';
import { addIndex, deleteIndex, emptyIndexSet, firstIndex, type IndexSet } from './index-set.js';
import { stateTableOf, type StateTable } from './state-table.js';

/** Read it freely; change it only with `takeSlot`, `freeSlot` and `release`. GPUs are numbered from 0. */
export interface FleetIndex {
  readonly table: StateTable;
  readonly gpus: number;
  /** The state of each GPU. */
  readonly stateOf: Int32Array;
  /** The lowest-numbered GPU in each state; `gpus` where there is none, so that a minimum needs no special case. */
  readonly lowestIn: Int32Array;
  /** The GPUs in each state; left out until a state occurs. */
  readonly members: (IndexSet | undefined)[];
  /** Instances per profile index of the space. */
  readonly counts: Int32Array;
}

/** One instance's place in the fleet. */
export interface FleetPlace {
  readonly gpu: number;
  readonly start: number;
}

export type Released =
  | { readonly ok: true; readonly profile: string }
  | { readonly ok: false; readonly why: { readonly kind: 'nothing-there'; readonly message: string } };

/** A fleet of empty GPUs. */
export function createFleet(space: Space, gpus: number): FleetIndex {
  const table = stateTableOf(space);
  const everyGpu = emptyIndexSet(gpus);
  for (let gpu = 0; gpu < gpus; gpu += 1) addIndex(everyGpu, gpu);
  const members = Array<IndexSet | undefined>(table.states.length).fill(undefined);
  members[0] = everyGpu;
  const lowestIn = new Int32Array(table.states.length).fill(gpus);
  lowestIn[0] = 0;
  return {
    table,
    gpus,
    stateOf: new Int32Array(gpus),
    lowestIn,
    members,
    counts: new Int32Array(space.profiles.length),
  };
}

/** The index of a profile by its name. Throws a RangeError for one that the fleet's cards do not have. */
export function profileIndexOf({ table: { space } }: FleetIndex, name: string): number {
  const index = space.profiles.findIndex((profile) => profile.name === name);
  if (index < 0) throw new RangeError(`${space.card.key} has no profile ${name} here`);
  return index;
}

/** Takes a slot. Throws a RangeError where it is not free: the caller chose it, so it should be. */
export function takeSlot(fleet: FleetIndex, gpu: number, slotIndex: number): void {
  const { table, counts } = fleet;
  const { slots } = table.space;
  const after = table.afterTaking[fleet.stateOf[gpu]! * slots.length + slotIndex]!;
  if (after < 0) throw new RangeError(`slot ${slotIndex} of GPU ${gpu} is not free`);
  moveTo(fleet, gpu, after);
  counts[slots[slotIndex]!.profileIndex]! += 1;
}

/** Frees a slot. Throws a RangeError where it is not taken. */
export function freeSlot(fleet: FleetIndex, gpu: number, slotIndex: number): void {
  const { table, counts } = fleet;
  const { slots } = table.space;
  const after = table.afterFreeing[fleet.stateOf[gpu]! * slots.length + slotIndex]!;
  if (after < 0) throw new RangeError(`slot ${slotIndex} of GPU ${gpu} is not taken`);
  moveTo(fleet, gpu, after);
  counts[slots[slotIndex]!.profileIndex]! -= 1;
}

/** Frees what begins at `start` on a GPU. */
export function release(fleet: FleetIndex, { gpu, start }: FleetPlace): Released {
  const slotIndex = slotAt(fleet, gpu, start);
  if (slotIndex === undefined) {
    const message = `no instance begins at unit ${start} of GPU ${gpu}`;
    return { ok: false, why: { kind: 'nothing-there', message } };
  }
  freeSlot(fleet, gpu, slotIndex);
  const { slots, profiles } = fleet.table.space;
  return { ok: true, profile: profiles[slots[slotIndex]!.profileIndex]!.name };
}

/** The slot of the instance that begins at `start`; undefined: none does. */
export function slotAt(fleet: FleetIndex, gpu: number, start: number): number | undefined {
  const { slotAtStart, space } = fleet.table;
  const slotIndex = slotAtStart[fleet.stateOf[gpu]! * space.card.gridUnits + start];
  return slotIndex === undefined || slotIndex < 0 ? undefined : slotIndex;
}

function moveTo(fleet: FleetIndex, gpu: number, after: number): void {
  const { stateOf, lowestIn, members, gpus } = fleet;
  const before = stateOf[gpu]!;
  deleteIndex(members[before]!, gpu);
  if (lowestIn[before] === gpu) lowestIn[before] = firstIndex(members[before]!, gpu + 1) ?? gpus;
  addIndex((members[after] ??= emptyIndexSet(gpus)), gpu);
  if (gpu < lowestIn[after]!) lowestIn[after] = gpu;
  stateOf[gpu] = after;
}
