/** An instance that changes its place in the fleet. */
import { slotOf } from '#core/geometry/space';
import { freeSlot, slotAt, takeSlot, type FleetIndex, type FleetPlace } from './fleet.js';

export interface Move {
  readonly profile: string;
  readonly from: FleetPlace;
  readonly to: FleetPlace;
}

/** Notes in the fleet that a move was done: the new place is taken before the old one is free. */
export function carryOut(fleet: FleetIndex, { profile, from, to }: Move): void {
  const target = slotOf(fleet.table.space, { profile, start: to.start });
  const source = slotAt(fleet, from.gpu, from.start);
  if (target === undefined || source === undefined) {
    throw new RangeError(`there is no ${profile} to move from unit ${from.start} of GPU ${from.gpu}`);
  }
  takeSlot(fleet, to.gpu, target.index);
  freeSlot(fleet, from.gpu, source);
}
