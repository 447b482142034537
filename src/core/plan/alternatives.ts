/** The same needs without MIG, for comparison: a whole card each, and cards shared by turns. */
import type { Solve } from '#core/packing/linear-program';
import { wholeCard, type NeedClass, type Objective, type Service } from '#core/packing/fleet/problem';
import { solveFleet } from '#core/packing/fleet/solve';
import type { SizingOptions } from '#core/sizing/wants';
import { classesOf } from './classes.js';
import type { Need } from './documents.js';
import { costOfMachines } from './plan-cost.js';
import type { Alternative } from './plan.js';
import type { SupplyPool } from './supply.js';
import { packShared, type SharedCards, type SharedSupply } from './time-sliced.js';

export interface AlternativeQuestion {
  readonly needs: readonly Need[];
  readonly pools: readonly SupplyPool[];
  readonly sizing: SizingOptions;
  readonly objective: Exclude<Objective, 'unplaced'>;
  readonly solve: Solve;
}

/** Every replica on whole cards of its own. */
export function onWholeGpus(question: AlternativeQuestion): Alternative {
  const pools = question.pools.filter(isFree);
  const { classes, impossible } = classesOf(question.needs.map(asWhole), pools, question.sizing);
  const { leftOut, ...use } = useOf(question, pools, classes);
  const note = 'full isolation, one workload a card; what it does not use is idle';
  return { ...use, unplaced: total(leftOut) + total(impossible.map(({ count }) => count)), note };
}

/** Replicas of less than a card take turns on it; what needs whole cards gets them. */
export function onTimeSlicedGpus(question: AlternativeQuestion): Alternative {
  const { needs, sizing } = question;
  const pools = question.pools.filter(isFree);
  const wholeNeeds = needs.filter((need) => need.p2p || need.gpus > 1);
  const small = needs.filter((need) => !wholeNeeds.includes(need));
  const packed = packShared(small, sharedSupply(pools), sizing);
  const shared = packed.shared.filter(({ cards }) => cards > 0);
  const { classes, impossible } = classesOf(wholeNeeds.map(asWhole), pools, sizing);
  const { leftOut, ...use } = useOf(question, pools, [
    ...classes,
    ...shared.map((one) => cardsAsClass(one, pools)),
  ]);
  // A shared card that is left out leaves out its share of the replicas.
  const unseated = shared.map(({ cards, replicas }, index) =>
    Math.ceil((replicas * (leftOut[classes.length + index] ?? 0)) / cards),
  );
  const note =
    'best fit by compute share and memory; no isolation: one process can take the memory of all, a crash or a heavy kernel hits every neighbour';
  const unplaced =
    packed.unplaced +
    total(unseated) +
    total(leftOut.slice(0, classes.length)) +
    total(impossible.map(({ count }) => count));
  return { ...use, unplaced, note };
}

/** Cards with busy slices cannot be used whole. */
function isFree({ taken }: SupplyPool): boolean {
  return taken.length === 0;
}

function asWhole(need: Need): Need {
  return { ...need, p2p: true, isolation: 'hardware' };
}

/** Shared cards, as replicas that need a card of that model each. */
function cardsAsClass({ model, cards }: SharedCards, pools: readonly SupplyPool[]): NeedClass {
  const services = pools.flatMap((pool, index): readonly Service[] =>
    pool.model.key === model ? [{ pool: index, slot: wholeCard, replicas: 1 }] : [],
  );
  return { name: `time-sliced ${model}`, count: cards, gpus: 1, services, weight: 1 };
}

function useOf(
  { objective, solve }: AlternativeQuestion,
  pools: readonly SupplyPool[],
  classes: readonly NeedClass[],
): Pick<Alternative, 'gpus' | 'cost'> & { readonly leftOut: readonly number[] } {
  const { machines, leftOut } = solveFleet({ pools, classes }, solve, { objective });
  const gpus = total(classes.map(({ count, gpus }, index) => gpus * (count - (leftOut[index] ?? 0))));
  return { gpus, cost: costOfMachines(pools, machines.map(total)), leftOut };
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Models in the order in which a thrifty user fills them: what is owned first, then the cheapest card. */
function sharedSupply(pools: readonly SupplyPool[]): readonly SharedSupply[] {
  const perCard = (pool: SupplyPool): number =>
    (pool.usdPerHour ?? (pool.owned ? 0 : Infinity)) / pool.gpusEach;
  const byModel = new Map<
    string,
    { model: SupplyPool['model']; cards: number | null; price: number; owned: boolean }
  >();
  for (const pool of pools) {
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
