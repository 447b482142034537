/** The same needs without MIG, for comparison: a whole card each, and cards shared by turns. */
import type { Solve } from '#core/packing/linear-program';
import type { Objective } from '#core/packing/fleet/problem';
import { solveFleet } from '#core/packing/fleet/solve';
import type { SizingOptions } from '#core/sizing/wants';
import { classesOf } from './classes.js';
import type { Need } from './documents.js';
import { costOfMachines } from './plan-cost.js';
import type { Alternative } from './plan.js';
import type { SupplyPool } from './supply.js';
import { packShared, type SharedSupply } from './time-sliced.js';

export interface AlternativeQuestion {
  readonly needs: readonly Need[];
  readonly pools: readonly SupplyPool[];
  readonly sizing: SizingOptions;
  readonly objective: Exclude<Objective, 'unplaced'>;
  readonly solve: Solve;
}

/** Every replica on whole cards of its own. */
export function onWholeGpus(question: AlternativeQuestion): Alternative {
  const note = 'full isolation, one workload a card; what it does not use is idle';
  return solved(question, question.needs.map(asWhole), note);
}

/** Replicas of less than a card take turns on it; what needs whole cards gets them. */
export function onTimeSlicedGpus(question: AlternativeQuestion): Alternative {
  const { needs, pools, sizing } = question;
  const wholeNeeds = needs.filter((need) => need.p2p || need.gpus > 1);
  const small = needs.filter((need) => !wholeNeeds.includes(need));
  const { shared, unplaced } = packShared(small, sharedSupply(pools), sizing);
  const cards = shared
    .filter((one) => one.cards > 0)
    .map((one): Need => ({ ...cardOf(one.model), count: one.cards }));
  const note =
    'best fit by compute share and memory; no isolation: one process can take the memory of all, a crash or a heavy kernel hits every neighbour';
  const answer = solved(
    question,
    [...wholeNeeds.map(asWhole), ...cards],
    note,
    (need, model) => !need.name.startsWith(sharedName) || need.name === sharedName + model,
  );
  // A shared card that was left out leaves out its share of the replicas.
  return { ...answer, unplaced: answer.unplaced + unplaced };
}

const sharedName = 'time-sliced ';

function asWhole(need: Need): Need {
  return { ...need, p2p: true, isolation: 'hardware' };
}

function cardOf(model: string): Need {
  return {
    name: sharedName + model,
    count: 1,
    gpus: 1,
    p2p: true,
    media: false,
    graphics: false,
    isolation: 'hardware',
    priority: 0,
    movable: true,
  };
}

function solved(
  { pools, sizing, objective, solve }: AlternativeQuestion,
  needs: readonly Need[],
  note: string,
  allowed: (need: Need, model: string) => boolean = () => true,
): Alternative {
  // Cards with busy slices cannot be used whole.
  const free = pools.filter(({ taken }) => taken.length === 0);
  const { classes, impossible } = classesOf(needs, free, sizing);
  const byName = new Map(needs.map((need) => [need.name, need]));
  const restricted = classes.map((one) => {
    const need = byName.get(one.name);
    return {
      ...one,
      services: one.services.filter(
        ({ pool }) => need === undefined || allowed(need, free[pool]?.model.key ?? ''),
      ),
    };
  });
  const solution = solveFleet({ pools: free, classes: restricted }, solve, { objective });
  const machines = solution.machines.map((counts) => counts.reduce((sum, count) => sum + count, 0));
  const cardsInUse = restricted.reduce(
    (sum, { count, gpus }, index) => sum + gpus * (count - (solution.leftOut[index] ?? 0)),
    0,
  );
  const out =
    solution.leftOut.reduce((sum, count) => sum + count, 0) +
    impossible.reduce((sum, { count }) => sum + count, 0);
  return { gpus: cardsInUse, cost: costOfMachines(free, machines), unplaced: out, note };
}

/** Models in the order in which a thrifty user fills them: what is owned first, then the cheapest card. */
function sharedSupply(pools: readonly SupplyPool[]): readonly SharedSupply[] {
  const usable = pools.filter(({ taken }) => taken.length === 0);
  const perCard = (pool: SupplyPool): number =>
    (pool.usdPerHour ?? (pool.owned ? 0 : Infinity)) / pool.gpusEach;
  const byModel = new Map<
    string,
    { model: SupplyPool['model']; cards: number | null; price: number; owned: boolean }
  >();
  for (const pool of usable) {
    const known = byModel.get(pool.model.key);
    const here = pool.machines === null ? null : pool.machines * pool.gpusEach;
    const cards =
      known === undefined ? here : known.cards === null || here === null ? null : known.cards + here;
    const price = Math.min(perCard(pool), known?.price ?? Infinity);
    byModel.set(pool.model.key, {
      model: pool.model,
      cards,
      price,
      owned: pool.owned || (known?.owned ?? false),
    });
  }
  return [...byModel.values()].sort((a, b) => Number(b.owned) - Number(a.owned) || a.price - b.price);
}
