/** Fleet and needs in, plan out: size every need, pack all of them at the least cost, and say why it cannot be less. */
import type { PriceTable } from '#core/cost/price-table';
import type { Solve } from '#core/packing/linear-program';
import type { Objective } from '#core/packing/fleet/problem';
import { solveFleet, type FleetSolution } from '#core/packing/fleet/solve';
import { defaultHeadroom } from '#core/sizing/memory';
import type { SizingOptions } from '#core/sizing/wants';
import { onTimeSlicedGpus, onWholeGpus } from './alternatives.js';
import { arrange, type ArrangedCard, type Arrangement } from './arrange.js';
import { classesOf, type PlanClass } from './classes.js';
import type { Fleet, Need } from './documents.js';
import { costOfMachines } from './plan-cost.js';
import type { Plan, RentedMachines, Unplaced } from './plan.js';
import { stepsBetween, type Step } from './steps.js';
import { supplyOf, type SupplyAnswer, type SupplyPool } from './supply.js';

export interface PlanQuestion {
  readonly fleet: Fleet;
  readonly needs: readonly Need[];
  readonly prices: PriceTable;
  readonly solve: Solve;
  readonly sizing?: SizingOptions;
  /** All cards of a machine get slices of one size, as GKE node pools need it. */
  readonly uniform?: boolean;
  /** Sentences about where the needs come from, repeated in the plan. */
  readonly notes?: readonly string[];
}

export type PlanAnswer = { readonly ok: true; readonly plan: Plan } | Extract<SupplyAnswer, { ok: false }>;

/** Busy slices of the fleet stay where they are. Throws MicaError `solver-failed`. */
export function makePlan(question: PlanQuestion): PlanAnswer {
  const { fleet, needs, prices, solve, sizing = {}, uniform = false, notes = [] } = question;
  const supply = supplyOf(fleet, prices, uniform);
  if (!supply.ok) return supply;
  const { pools } = supply;
  const objective = objectiveOf(pools);
  const { classes, impossible } = classesOf(needs, pools, sizing);
  const solution = solveFleet({ pools, classes }, solve, { objective });
  const arrangement = arrange(pools, classes, solution);
  const alternatives = { needs, pools, sizing, objective, solve };
  return {
    ok: true,
    plan: {
      schema: 'mica/plan@1',
      objective,
      gpus: arrangement.cards.length,
      layouts: arrangement.cards.map(({ planned }) => planned),
      assignment: arrangement.assignment,
      unplaced: [...impossible, ...leftOut(classes, solution)],
      machines: rentedMachines(pools, arrangement),
      steps: arrangement.cards.flatMap(stepsOf),
      cost: costOfMachines(pools, arrangement.machines),
      alternatives: { wholeGpus: onWholeGpus(alternatives), timeSliced: onTimeSlicedGpus(alternatives) },
      headroom: sizing.headroom ?? defaultHeadroom,
      notes: [
        ...notes,
        ...supply.leftOut.map(
          (name) => `node ${name} takes no part: its busy slices stay, so it cannot have one size`,
        ),
        ...notesOf(pools, arrangement, objective, uniform),
      ],
      proof: solution.proof,
      proven: solution.value - solution.proof.lowerBound < 1e-6,
    },
  };
}

/** Money decides where machines are rented and each has a price; otherwise cards are counted. */
function objectiveOf(pools: readonly SupplyPool[]): Exclude<Objective, 'unplaced'> {
  const rented = pools.filter(({ owned }) => !owned);
  const isPriced = rented.length > 0 && rented.every(({ usdPerHour }) => usdPerHour !== null);
  return isPriced ? 'usdPerHour' : 'gpus';
}

/** The last replicas of a class stay out: its members are equal to the fleet, and earlier needs are served first. */
function leftOut(classes: readonly PlanClass[], solution: FleetSolution): readonly Unplaced[] {
  return classes.flatMap(({ members }, index) => {
    let rest = solution.leftOut[index] ?? 0;
    const unplaced: Unplaced[] = [];
    for (const { need, count } of members.toReversed()) {
      const here = Math.min(rest, count);
      rest -= here;
      if (here > 0)
        unplaced.unshift({
          need,
          count: here,
          why: 'the fleet is full: no arrangement of its slices holds more',
        });
    }
    return unplaced;
  });
}

function stepsOf({ card, planned }: ArrangedCard): readonly Step[] {
  const answer = stepsBetween({
    node: card.node,
    index: card.index,
    before: card.known ? card.slices : null,
    after: planned.mig ? planned.placements : null,
  });
  if (!answer.ok) throw new RangeError(`planned around busy slices, and yet: ${answer.why.message}`);
  return answer.steps;
}

function rentedMachines(pools: readonly SupplyPool[], { machines }: Arrangement): readonly RentedMachines[] {
  return pools.flatMap(({ machineType, gpusEach, usdPerHour }, index): readonly RentedMachines[] => {
    const count = machines[index] ?? 0;
    return machineType === null || count === 0 ? [] : [{ machineType, count, gpusEach, usdPerHour }];
  });
}

function notesOf(
  pools: readonly SupplyPool[],
  { machines }: Arrangement,
  objective: Objective,
  uniform: boolean,
): readonly string[] {
  const used = pools.filter((_, index) => (machines[index] ?? 0) > 0);
  const unpriced = [...new Set(used.filter(({ usdPerHour }) => usdPerHour === null).map(({ name }) => name))];
  const estimates = [...new Set(used.filter(({ estimate }) => estimate).map(({ name }) => name))];
  const rentedUnpriced = pools
    .filter(({ owned, usdPerHour }) => !owned && usdPerHour === null)
    .map(({ name }) => name);
  return [
    ...(uniform ? ['every machine has slices of one size, which may take more GPUs than mixed sizes'] : []),
    ...(objective === 'gpus' && rentedUnpriced.length > 0
      ? [`planned by number of GPUs, not by money: no price is known for ${rentedUnpriced.join(', ')}`]
      : []),
    ...(unpriced.length > 0
      ? [`left out of the money, since no price is known: ${unpriced.join(', ')}`]
      : []),
    ...(estimates.length > 0 ? [`estimated prices: ${estimates.join(', ')}`] : []),
  ];
}
