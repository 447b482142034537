/** Room for a slice that fits nowhere: a few others move first, as few and as small as possible. */
import { overlaps } from '#core/geometry/mask';
import { couldHoldOneMore } from './capacity.js';
import { freeSlot, takeSlot, type FleetIndex, type FleetPlace } from './fleet.js';
import { firstIndex } from './index-set.js';
import type { Move } from './move.js';
import { choose, type GpuSlot } from './place.js';
import type { Ranks } from './policy.js';
import { windowsFor, type Window } from './windows.js';

export type Repacked =
  | {
      readonly ok: true;
      /** In any order: every new place is free now. Once all are done, so is `place`. */
      readonly moves: readonly Move[];
      readonly place: FleetPlace;
    }
  | {
      readonly ok: false;
      readonly why: {
        /** `full`: no arrangement of the fleet holds one more. `no-repacking`: none was found within the limits. */
        readonly kind: 'full' | 'no-repacking';
        readonly message: string;
      };
    };

export interface RepackOptions {
  readonly maxMoves: number;
  /** Pinned and busy instances say no; left out: all may move. */
  readonly mayMove?: (place: FleetPlace) => boolean;
}

/**
 * What must move so that a slice fits, and where to; the fleet is left as it is. Asked when `place` has found no room.
 * Those that move go where the policy places them.
 */
export function repack(
  fleet: FleetIndex,
  ranks: Ranks,
  profileIndex: number,
  options: RepackOptions,
): Repacked {
  const { slots, profiles } = fleet.table.space;
  const name = profiles[profileIndex]!.name;
  if (!couldHoldOneMore(fleet, profileIndex)) {
    const message = `${fleet.gpus} GPUs cannot hold one more ${name}, however the others are moved`;
    return { ok: false, why: { kind: 'full', message } };
  }
  for (const window of windowsFor(fleet.table, profileIndex)) {
    if (window.occupants.length > options.maxMoves) break;
    const gpu = gpuWith(fleet, window, options.mayMove);
    if (gpu === undefined) continue;
    const targets = findTargets(fleet, ranks, window, gpu);
    if (targets === undefined) continue;
    const placeOf = (at: GpuSlot): FleetPlace => ({ gpu: at.gpu, start: slots[at.slot]!.start });
    return {
      ok: true,
      place: placeOf({ gpu, slot: window.slot }),
      moves: window.occupants.map((slot, index) => ({
        profile: profiles[slots[slot]!.profileIndex]!.name,
        from: placeOf({ gpu, slot }),
        to: placeOf(targets[index]!),
      })),
    };
  }
  const message = `no ${options.maxMoves} moves or fewer were found that make room for a ${name}`;
  return { ok: false, why: { kind: 'no-repacking', message } };
}

/** The lowest-numbered GPU with this window whose occupants may all move; equal GPUs need not be tried again. */
function gpuWith(fleet: FleetIndex, window: Window, mayMove: RepackOptions['mayMove']): number | undefined {
  const members = fleet.members[window.state];
  if (members === undefined) return undefined;
  const { slots } = fleet.table.space;
  for (let gpu = firstIndex(members); gpu !== undefined; gpu = firstIndex(members, gpu + 1)) {
    const here = gpu;
    if (mayMove === undefined) return here;
    if (window.occupants.every((slot) => mayMove({ gpu: here, start: slots[slot]!.start }))) return here;
  }
  return undefined;
}

/** Where the policy puts the occupants once the slice stands in their window; undefined: not all of them fit. */
function findTargets(
  fleet: FleetIndex,
  ranks: Ranks,
  { slot, occupants }: Window,
  gpu: number,
): readonly GpuSlot[] | undefined {
  const { slots } = fleet.table.space;
  for (const occupant of occupants) freeSlot(fleet, gpu, occupant);
  takeSlot(fleet, gpu, slot);
  const targets: GpuSlot[] = [];
  for (const occupant of occupants) {
    const target = choose(fleet, ranks, slots[occupant]!.profileIndex);
    if (target === undefined || (target.gpu === gpu && !isFreeNow(fleet, target.slot, occupants))) break;
    takeSlot(fleet, target.gpu, target.slot);
    targets.push(target);
  }
  for (const target of targets) freeSlot(fleet, target.gpu, target.slot);
  freeSlot(fleet, gpu, slot);
  for (const occupant of occupants) takeSlot(fleet, gpu, occupant);
  return targets.length === occupants.length ? targets : undefined;
}

/** Whether a slot of the occupants' own GPU is free while they still stand there. */
function isFreeNow(fleet: FleetIndex, target: number, occupants: readonly number[]): boolean {
  const { slots, hasBudgets } = fleet.table.space;
  // With caps and engine budgets, what is legal without the occupants may not be beside them.
  return !hasBudgets && occupants.every((occupant) => !overlaps(slots[occupant]!.mask, slots[target]!.mask));
}
