/**
 * The lower bound of the fleet question: a price per replica. Under any prices, a machine is worth at most what its best
 * cut serves; what the whole demand is worth beyond what the machines at hand could be worth has to be paid for.
 */
import type { Layout } from '#core/geometry/placement';
import type { PoolChoices } from './choices.js';
import { costsOf, costUnitOf, type FleetProblem, type Objective, type Pool } from './problem.js';

/** Everything a checker needs beside the profiles and starts of the models: see docs/reference/proof.md. */
export interface PriceProof {
  readonly kind: 'prices';
  readonly objective: Objective;
  readonly pools: readonly {
    readonly name: string;
    readonly model: string;
    readonly gpusEach: number;
    /** `null`: as many as wanted. */
    readonly machines: number | null;
    readonly uniform: boolean;
    readonly taken: Layout;
    readonly costPerMachine: number;
    readonly costPerGpu: number;
  }[];
  readonly classes: readonly {
    readonly name: string;
    readonly count: number;
    readonly gpus: number;
    readonly price: number;
    /** Under `unplaced`: what leaving one replica out costs; the price is not above it. */
    readonly weight: number;
    readonly services: readonly { readonly pool: number; readonly slot: string; readonly replicas: number }[];
  }[];
  /** Every cost is a multiple of this (0: of nothing), so the bound is rounded up to one. */
  readonly costUnit: number;
  readonly lowerBound: number;
}

/** Dual prices below this are zeros with rounding dust on them. */
const solverNoise = 1e-9;

/** The proof from the dual prices of the relaxed program, per class. Prices that are off only weaken the bound. */
export function priceProof(
  problem: FleetProblem,
  choices: readonly PoolChoices[],
  objective: Objective,
  duals: readonly number[],
): PriceProof {
  const capped = problem.classes.map(({ weight }, index) => {
    const price = (duals[index] ?? 0) < solverNoise ? 0 : (duals[index] ?? 0);
    return objective === 'unplaced' ? Math.min(price, weight) : price;
  });
  const scale = Math.min(
    1,
    ...problem.pools.map((pool, index) => {
      const worth = machineWorth(problem, choices, objective, capped, index);
      return pool.machines === null && worth > 0 ? costsOf(pool, objective).perMachine / worth : 1;
    }),
  );
  const prices = capped.map((price) => price * scale);
  const demandWorth = problem.classes.reduce(
    (sum, { count }, index) => sum + count * (prices[index] ?? 0),
    0,
  );
  const surplus = problem.pools.reduce((sum, pool, index) => {
    const worth =
      machineWorth(problem, choices, objective, prices, index) - costsOf(pool, objective).perMachine;
    return sum + (pool.machines === null ? 0 : pool.machines * Math.max(0, worth));
  }, 0);
  const costUnit = costUnitOf(problem.pools, objective);
  return {
    kind: 'prices',
    objective,
    pools: problem.pools.map((pool) => {
      const { perMachine, perGpu } = costsOf(pool, objective);
      const { name, gpusEach, machines, uniform, taken } = pool;
      return {
        name,
        model: pool.model.key,
        gpusEach,
        machines,
        uniform,
        taken,
        costPerMachine: perMachine,
        costPerGpu: perGpu,
      };
    }),
    classes: problem.classes.map(({ name, count, gpus, weight, services }, index) => {
      return { name, count, gpus, price: prices[index] ?? 0, weight, services };
    }),
    costUnit,
    lowerBound: roundedUp(Math.max(0, demandWorth - surplus), costUnit),
  };
}

/** To the next multiple, with room for the rounding dust of a long sum; exact decimals come back. */
function roundedUp(bound: number, unit: number): number {
  return unit === 0 ? bound : Math.round(Math.ceil(bound / unit - 1e-6) * unit * 1e6) / 1e6;
}

/** The most that one machine of a pool can serve under the prices, less what its cards in use cost. */
function machineWorth(
  problem: FleetProblem,
  choices: readonly PoolChoices[],
  objective: Objective,
  prices: readonly number[],
  poolIndex: number,
): number {
  const pool = problem.pools[poolIndex] as Pool;
  const { perGpu } = costsOf(pool, objective);
  const { cards = [], machines = [] } = choices[poolIndex] ?? {};
  const slotWorth = new Map<string, number>();
  const groupWorth = new Map<number, number>();
  for (const [index, { gpus, services }] of problem.classes.entries()) {
    for (const { pool: servedBy, slot, replicas } of services) {
      if (servedBy !== poolIndex) continue;
      const worth = (prices[index] ?? 0) * replicas;
      if (gpus > 1) groupWorth.set(gpus, Math.max(worth - gpus * perGpu, groupWorth.get(gpus) ?? 0));
      else slotWorth.set(slot, Math.max(worth, slotWorth.get(slot) ?? 0));
    }
  }
  const cardWorths = cards.map(({ counts }) => {
    const worth = [...counts].reduce((sum, [slot, count]) => sum + count * (slotWorth.get(slot) ?? 0), 0);
    return Math.max(0, worth - perGpu);
  });
  const best = Math.max(0, ...cardWorths);
  return Math.max(
    0,
    ...machines.map(({ groups, singles, only }) => {
      const single = only === undefined ? best : (cardWorths[only] ?? 0);
      return [...groups].reduce(
        (sum, [size, count]) => sum + count * (groupWorth.get(size) ?? 0),
        singles * single,
      );
    }),
  );
}
