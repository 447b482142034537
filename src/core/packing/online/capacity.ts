/** Whether a fleet could hold one slice more if everything could move: the first question when nothing is free. */
import { familyOf } from '../closed-form.js';
import type { FleetIndex } from './fleet.js';
import type { StateTable } from './state-table.js';

/**
 * Whether some arrangement of the fleet holds one more, by the resources of the closed form: exact for plain profiles.
 * Yes where there is no closed form.
 */
export function couldHoldOneMore({ table, gpus, counts }: FleetIndex, profileIndex: number): boolean {
  return resourcesOf(table).every(({ weights, gpuWorth }) => {
    let used = weights[profileIndex]!;
    for (let index = 0; index < weights.length; index += 1) used += counts[index]! * weights[index]!;
    return used <= gpuWorth * gpus;
  });
}

interface IndexedResource {
  /** By profile index. */
  readonly weights: readonly number[];
  readonly gpuWorth: number;
}

function resourcesOf(table: StateTable): readonly IndexedResource[] {
  let resources = resourcesOfTable.get(table);
  if (resources === undefined) {
    resources = (familyOf(table.space)?.resources ?? []).map(({ weights, gpuWorth }) => ({
      weights: table.space.profiles.map((profile) => weights[profile.name] ?? 0),
      gpuWorth,
    }));
    resourcesOfTable.set(table, resources);
  }
  return resources;
}

const resourcesOfTable = new WeakMap<StateTable, readonly IndexedResource[]>();
