/** Places one slice: the first rank that some GPU stands in decides, whatever the fleet's size. */
import { takeSlot, type FleetIndex, type FleetPlace } from './fleet.js';
import type { Ranks } from './policy.js';

export type Placed =
  | ({ readonly ok: true } & FleetPlace)
  | { readonly ok: false; readonly why: { readonly kind: 'no-room'; readonly message: string } };

/** Chooses a place by the policy and takes it. */
export function place(fleet: FleetIndex, ranks: Ranks, profileIndex: number): Placed {
  const { slots, profiles } = fleet.table.space;
  const choice = choose(fleet, ranks, profileIndex);
  if (choice === undefined) {
    const message = `no GPU has room for a ${profiles[profileIndex]!.name}`;
    return { ok: false, why: { kind: 'no-room', message } };
  }
  takeSlot(fleet, choice.gpu, choice.slot);
  return { ok: true, gpu: choice.gpu, start: slots[choice.slot]!.start };
}

/** A slot, by index, of one GPU. */
export interface GpuSlot {
  readonly gpu: number;
  readonly slot: number;
}

/** The place that the policy prefers, taking nothing; undefined: no GPU has room. */
export function choose(
  { lowestIn, gpus }: FleetIndex,
  ranks: Ranks,
  profileIndex: number,
): GpuSlot | undefined {
  const { states, slots, tierEnds } = ranks.byProfile[profileIndex]!;
  let position = 0;
  for (const end of tierEnds) {
    let gpu = gpus;
    let slot = -1;
    for (; position < end; position += 1) {
      const candidate = lowestIn[states[position]!]!;
      if (candidate >= gpu) continue;
      gpu = candidate;
      slot = slots[position]!;
    }
    if (gpu < gpus) return { gpu, slot };
  }
  return undefined;
}
