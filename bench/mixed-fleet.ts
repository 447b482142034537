/** Mixed fleets: the least money over six card types, with the proven bound, beside choosing the cheapest slice for each. */
import type { MigModel } from '#core/catalogue/model';
import { pack } from '#core/packing/pack';
import type { FleetProblem } from '#core/packing/fleet/problem';
import { solveFleet } from '#core/packing/fleet/solve';
import type { Solve } from '#core/packing/linear-program';
import { loadSolver } from '#adapters/highs/solver';
import { provenCost } from '../test/support/check-prices.js';
import { atMost, timed, type Bench, type BenchOptions, type Outcome } from './harness.js';
import { mixedInstance } from './mixed-fleet-instance.js';
import { seeds } from './random.js';

export const mixedFleet: Bench = {
  name: 'mixed-fleet',
  about: 'least $/h over six card types (synthetic prices and speeds), solved to a gap of 0; seeds 101-105',
  run: async ({ quick }: BenchOptions) => runMixed(quick, (await loadSolver()).solve),
};

function runMixed(quick: boolean, solve: Solve): Outcome {
  const sizes = [100, 1000, 10_000, 100_000].filter((n) => !quick || n <= 1000);
  const drawn = seeds(101, quick ? 102 : 105);
  // The first solve warms the solver up.
  solveFleet(mixedInstance(20, 100, 1).problem, solve, { objective: 'usdPerHour' });
  const results = [20, 100, 400].flatMap((classes) =>
    sizes.map((n) => ({ classes, n, runs: drawn.map((seed) => runOne(classes, n, seed, solve)) })),
  );
  const runsOf = (isIn: (n: number) => boolean): readonly Run[] =>
    results.filter(({ n }) => isIn(n)).flatMap(({ runs }) => runs);
  const small = runsOf((n) => n === 100);
  const large = runsOf((n) => n >= 1000);
  return {
    rows: results.map(({ classes, n, runs }) => ({
      classes,
      n,
      'mean gap %': mean(runs.map(({ gapPercent }) => gapPercent)).toFixed(4),
      'worst gap %': worst(runs.map(({ gapPercent }) => gapPercent)).toFixed(4),
      'mean s': (mean(runs.map(({ ms }) => ms)) / 1000).toFixed(2),
      'worst s': (worst(runs.map(({ ms }) => ms)) / 1000).toFixed(2),
      'cheapest slice +%': mean(runs.map(({ greedyPercent }) => greedyPercent)).toFixed(1),
    })),
    bars: [
      atMost('mean gap at 100 workloads, %', mean(small.map(({ gapPercent }) => gapPercent)), 0.4, 4),
      atMost(
        'worst mean gap of a row from 1,000 workloads, %',
        worst(meansOf(results.filter(({ n }) => n >= 1000))),
        0.03,
        4,
      ),
      atMost('slowest answer, s', worst([...small, ...large].map(({ ms }) => ms)) / 1000, 4),
      atMost(
        'bounds that the independent checker does not confirm',
        [...small, ...large].filter(({ confirmed }) => !confirmed).length,
        0,
        0,
      ),
    ],
    notes: [
      'gap: from the proven bound (dual prices) to the answer, which the solver calls optimal. cheapest slice: each',
      'workload takes the slice with the least share of a card in dollars, each card type is then packed optimally.',
    ],
  };
}

interface Run {
  readonly gapPercent: number;
  readonly ms: number;
  readonly greedyPercent: number;
  readonly confirmed: boolean;
}

function runOne(classes: number, workloads: number, seed: number, solve: Solve): Run {
  const { problem } = mixedInstance(classes, workloads, seed);
  const { result, ms } = timed(() => solveFleet(problem, solve, { objective: 'usdPerHour' }));
  const profilesOf = (key: string): MigModel['profiles'] =>
    (problem.pools.find(({ model }) => model.key === key)?.model as MigModel).profiles.filter(
      ({ attribute }) => attribute === null,
    );
  return {
    ms,
    gapPercent: (result.value / result.proof.lowerBound - 1) * 100,
    greedyPercent: (cheapestSlices(problem) / result.value - 1) * 100,
    confirmed: Math.abs(provenCost(profilesOf, result.proof) - result.proof.lowerBound) < 1e-6,
  };
}

/** What it costs to choose for each workload alone. */
function cheapestSlices({ pools, classes }: FleetProblem): number {
  const demands = pools.map((): Record<string, number> => ({}));
  for (const { count, services } of classes) {
    const priced = services.map((service) => {
      const pool = pools[service.pool];
      const model = pool?.model as MigModel;
      const sizeUnits =
        model.profiles.find(({ name }) => name === service.slot)?.sizeUnits ?? model.gridUnits;
      return { service, share: ((pool?.usdPerHour ?? 0) * sizeUnits) / model.gridUnits };
    });
    const [cheapest] = priced.sort((a, b) => a.share - b.share);
    const demand = demands[cheapest?.service.pool ?? 0];
    const slot = cheapest?.service.slot ?? '';
    if (demand !== undefined) demand[slot] = (demand[slot] ?? 0) + count;
  }
  return pools.reduce((sum, pool, index) => {
    return sum + (pool.usdPerHour ?? 0) * pack(pool.model as MigModel, demands[index] ?? {}).gpus;
  }, 0);
}

function meansOf(results: readonly { readonly runs: readonly Run[] }[]): readonly number[] {
  return results.map(({ runs }) => mean(runs.map(({ gapPercent }) => gapPercent)));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function worst(values: readonly number[]): number {
  return Math.max(...values);
}
