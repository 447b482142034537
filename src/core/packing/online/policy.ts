/** A rule for placing: what it costs to put a slice on a GPU in some state. Lower is better; all rules are compared alike. */
import type { Slot, Space } from '#core/geometry/space';
import type { State } from '#core/geometry/states';
import { stateTableOf, type StateTable } from './state-table.js';

/** What a placement costs, before and after known. Where costs are sums, keep them whole: ties must be ties. */
export type PlacementCost = (before: State, slot: Slot, after: State) => number;

/** The start is chosen on each GPU first (ties: the lowest start), then the GPU (ties: the lowest number). */
export interface Policy {
  readonly name: string;
  /** Which start on a given GPU. */
  readonly startCost: PlacementCost;
  /** Which GPU, given the start that it would use. */
  readonly gpuCost: PlacementCost;
}

/** A rule that weighs GPU and start together. */
export function jointPolicy(name: string, cost: PlacementCost): Policy {
  return { name, startCost: cost, gpuCost: cost };
}

/** A policy as a table: per profile the states that can take it, best first, so that a decision is a look-up. */
export interface Ranks {
  readonly policy: string;
  readonly space: Space;
  readonly byProfile: readonly RankedStates[];
}

export interface RankedStates {
  readonly states: Int32Array;
  /** The slot to take in the state at the same position. */
  readonly slots: Int32Array;
  /** Where runs of states with equal cost end: among those the GPU's number decides. */
  readonly tierEnds: Int32Array;
}

export function rank(policy: Policy, space: Space): Ranks {
  const table = stateTableOf(space);
  return {
    policy: policy.name,
    space,
    byProfile: space.slotsOfProfile.map((slots) => rankFor(policy, table, slots)),
  };
}

function rankFor(policy: Policy, table: StateTable, slots: readonly Slot[]): RankedStates {
  const options = table.states
    .flatMap((_, state) => bestIn(policy, table, state, slots) ?? [])
    .sort((a, b) => a.cost - b.cost);
  const isLastOfTier = (index: number): boolean => options[index]?.cost !== options[index + 1]?.cost;
  return {
    states: Int32Array.from(options, (option) => option.state),
    slots: Int32Array.from(options, (option) => option.slot),
    tierEnds: Int32Array.from(options.flatMap((_, index) => (isLastOfTier(index) ? index + 1 : []))),
  };
}

/** The start that the policy takes on a GPU in this state, and what the GPU costs with it. */
function bestIn(
  policy: Policy,
  { space, states, afterTaking }: StateTable,
  state: number,
  slots: readonly Slot[],
): { state: number; slot: number; cost: number } | undefined {
  const before = states[state]!;
  let best: { state: number; slot: number; cost: number } | undefined;
  let bestStartCost = Infinity;
  for (const slot of slots) {
    const after = states[afterTaking[state * space.slots.length + slot.index]!];
    if (after === undefined) continue;
    const startCost = policy.startCost(before, slot, after);
    if (startCost >= bestStartCost) continue;
    bestStartCost = startCost;
    best = { state, slot: slot.index, cost: policy.gpuCost(before, slot, after) };
  }
  return best;
}
