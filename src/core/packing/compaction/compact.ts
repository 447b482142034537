/** Empties as many GPUs as possible with as few moves as possible, and says in which order. */
import { boundBy, familyOf } from '../closed-form.js';
import type { Solve } from '../linear-program.js';
import type { FleetIndex, FleetPlace } from '../online/fleet.js';
import { keepingOf, type Keeping } from './kept.js';
import { kindsOf, type KindOfClasses } from './kinds.js';
import { orderMoves, type CompactionStep, type Ordered } from './order.js';
import { fewestMoves, mostEmpty } from './program.js';
import { realise } from './realise.js';

export type Compaction =
  | ({
      readonly ok: true;
      /** GPUs with instances, before and after. */
      readonly gpusBefore: number;
      readonly gpusAfter: number;
      /** GPUs that lose their last instance, ascending. */
      readonly emptied: readonly number[];
      /** How many instances change their place: the fewest for this number of GPUs. */
      readonly moved: number;
      /** No plan moves fewer: the optimum of the program without whole numbers. */
      readonly movedBound: number;
    } & Ordered)
  | {
      readonly ok: false;
      readonly why: { readonly kind: 'too-few-gpus'; readonly fewest: number; readonly message: string };
    };

export interface CompactOptions {
  readonly solve: Solve;
  /** Pinned and busy instances say no; left out: all may move. */
  readonly mayMove?: (place: FleetPlace) => boolean;
  /** GPUs that may hold instances afterwards; left out: as few as possible. */
  readonly gpus?: number;
}

/** The plan; the fleet is left as it is. Throws MicaError `solver-failed`. */
export function compact(fleet: FleetIndex, options: CompactOptions): Compaction {
  const { table } = fleet;
  const keeping = keepingOf(table);
  const kinds = kindsOf(fleet, keeping, options.mayMove);
  const fewest = fewestGpus(fleet, keeping, kinds, options);
  const target = options.gpus ?? fewest;
  if (target < fewest) {
    const message = `what is there needs ${fewest} GPUs, however it is moved; ${target} were asked for`;
    return { ok: false, why: { kind: 'too-few-gpus', fewest, message } };
  }
  const decision = fewestMoves(
    kinds,
    keeping,
    table.space.profiles.length,
    fleet.gpus - target,
    options.solve,
  );
  const plan = realise(table, keeping, kinds, decision);
  const ordered = orderMoves(fleet, plan);
  const before = Int32Array.from(fleet.stateOf, (state) => table.states[state]!.slots.length);
  const after = instancesAfter(before, ordered.steps);
  return {
    ok: true,
    gpusBefore: before.filter((instances) => instances > 0).length,
    gpusAfter: after.filter((instances) => instances > 0).length,
    emptied: [...before.keys()].filter((gpu) => before[gpu]! > 0 && after[gpu] === 0),
    moved: plan.leaving.length,
    movedBound: decision.fewestMovesBound,
    ...ordered,
  };
}

/** By the closed form where nothing is pinned and there is one; else by the program. */
function fewestGpus(
  fleet: FleetIndex,
  keeping: Keeping,
  kinds: readonly KindOfClasses[],
  { mayMove, solve }: CompactOptions,
): number {
  const { space } = fleet.table;
  const family = mayMove === undefined ? familyOf(space) : undefined;
  if (family === undefined) return fleet.gpus - mostEmpty(kinds, keeping, space.profiles.length, solve);
  const demand = Object.fromEntries(
    space.profiles.map((profile, index) => [profile.name, fleet.counts[index]!]),
  );
  return boundBy(space.card.key, family.resources, demand).lowerBound;
}

function instancesAfter(before: Int32Array, steps: readonly CompactionStep[]): Int32Array {
  const instances = before.slice();
  for (const step of steps) {
    if (step.kind !== 'stop') instances[step.to.gpu]! += 1;
    if (step.kind !== 'start') instances[step.from.gpu]! -= 1;
  }
  return instances;
}
