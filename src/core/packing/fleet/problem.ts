/** The fleet question: pools of machines, classes of equal needs, and which slices could serve which class. */
import type { GpuModel } from '#core/catalogue/model';
import type { Layout } from '#core/geometry/placement';

/** A whole card with MIG off, as a kind of slot beside the profile names. */
export const wholeCard = 'whole';

/** Machines that are alike: bought or rented, same card, same number of cards, same price. */
export interface Pool {
  readonly name: string;
  readonly model: GpuModel;
  readonly gpusEach: number;
  /** Machines at hand; `null`: as many as wanted. */
  readonly machines: number | null;
  /** Owned cards count one by one as they are used, rented ones by the machine. */
  readonly owned: boolean;
  /** For one machine; `null`: unknown. */
  readonly usdPerHour: number | null;
  /** All cards of a machine are cut into slices of one size, as a GKE node pool is. */
  readonly uniform: boolean;
  /** Slices that stay, on every card of the pool; then no card of it can be used whole. */
  readonly taken: Layout;
}

/** One way to serve a class: a slice of this profile (or a whole card) in this pool carries so many replicas. */
export interface Service {
  readonly pool: number;
  readonly slot: string;
  readonly replicas: number;
}

/** Replicas that can be served in the same ways. */
export interface NeedClass {
  readonly name: string;
  readonly count: number;
  /** Cards that one replica needs in one machine; above 1 every service is a whole card. */
  readonly gpus: number;
  readonly services: readonly Service[];
  /** What leaving one replica out costs, against the others of its priority: larger is worse. */
  readonly weight: number;
  /** Nothing of a lower priority is placed at the cost of a higher one. Left out: 0. */
  readonly priority?: number;
}

/** `unplaced` is asked first and alone where the machines at hand cannot hold everything. */
export type Objective = 'usdPerHour' | 'gpus' | 'unplaced';

export interface FleetProblem {
  readonly pools: readonly Pool[];
  readonly classes: readonly NeedClass[];
}

/** What a machine and each of its cards in use cost under an objective. */
export function costsOf(
  pool: Pool,
  objective: Objective,
): { readonly perMachine: number; readonly perGpu: number } {
  switch (objective) {
    case 'usdPerHour':
      return { perMachine: pool.usdPerHour ?? 0, perGpu: 0 };
    case 'gpus':
      return pool.owned ? { perMachine: 0, perGpu: 1 } : { perMachine: pool.gpusEach, perGpu: 0 };
    case 'unplaced':
      return { perMachine: 0, perGpu: 0 };
  }
}

/** What every plan's cost is a multiple of: 1 for cards, the common divisor of the prices for money; 0: nothing such. */
export function costUnitOf(pools: readonly Pool[], objective: Objective): number {
  if (objective === 'unplaced') return 0;
  const costs = pools.flatMap((pool) => Object.values(costsOf(pool, objective)));
  // Prices are decimal figures: whole numbers of millionths of a dollar, or there is no common unit.
  const millionths = costs.map((cost) => Math.round(cost * 1e6));
  const isWhole = costs.every((cost, index) => isSameFigure(cost * 1e6, millionths[index] ?? 0));
  return isWhole ? millionths.reduce(greatestCommonDivisor, 0) / 1e6 : 0;
}

/** But for the dust of binary fractions; anything more would add up over a large fleet. */
function isSameFigure(a: number, b: number): boolean {
  return Math.abs(a - b) <= 4 * Number.EPSILON * Math.abs(b);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
