/** What all callers of a desk share. None of it is needed after the desk is gone. */
import type { LeasableSlice } from '#core/run/slice';
import { machineSlices } from '../machine-slices.js';
import type { LeasePorts } from '../ports.js';
import type { Watch } from '../watch.js';

export interface House {
  readonly ports: LeasePorts;
  readonly watch: Watch;
  /** Takes back what dead holders left; never fails. */
  readonly tidy: () => Promise<void>;
  /** Slices that were seen, by id: what a slice is does not change while it is there. */
  readonly known: Map<string, LeasableSlice>;
}

export async function seeSlices({ ports, known }: House): Promise<readonly LeasableSlice[]> {
  const slices = await machineSlices(ports.driver);
  for (const slice of slices) known.set(slice.id, slice);
  return slices;
}

/** As far as they are there, or were when they were last seen. */
export async function slicesNamed(house: House, ids: readonly string[]): Promise<readonly LeasableSlice[]> {
  if (!ids.every((id) => house.known.has(id))) await seeSlices(house);
  return ids.flatMap((id) => house.known.get(id) ?? []);
}
