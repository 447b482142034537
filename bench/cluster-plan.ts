/** A plan for a large cluster: nodes of several pools with many layouts, pods of many owners, and some that wait. */
import { loadSolver } from '#adapters/highs/solver';
import type { ClusterNode, ClusterPod, ClusterState } from '#core/cluster/objects';
import { planCluster, type ClusterPlanOptions } from '#core/cluster/planning/plan-cluster';
import { defaultPrices } from '#core/cost/default-prices';
import { gpuNode, pending, running } from '../test/support/planned-cluster.js';
import { atMost, timed, type Bench, type BenchOptions, type Outcome } from './harness.js';
import { randomFrom } from './random.js';

const seed = 5000;

export const clusterPlan: Bench = {
  name: 'cluster-plan',
  about: `5,000 nodes and 50,000 pods, each of ten pools with layouts by chance, seed ${seed}`,
  run: runClusterPlan,
};

const layouts: readonly Readonly<Record<string, number>>[] = [
  { '1g.24gb': 4 },
  { '1g.24gb': 2, '2g.48gb': 1 },
  { '2g.48gb': 2 },
  { '4g.96gb': 1 },
];

/** `fill`: of the slices, those in use. */
function clusterOf(nodeCount: number, podCount: number, waiting: number, fill: number): ClusterState {
  const { uniform: random } = randomFrom(seed);
  const nodes: ClusterNode[] = [];
  const pods: ClusterPod[] = [];
  for (let index = 0; index < nodeCount; index += 1) {
    const gpus = index % 2 === 0 ? 1 : 4;
    const one = layouts[Math.floor(random() * layouts.length)] ?? {};
    const slices = Object.fromEntries(Object.entries(one).map(([slot, count]) => [slot, count * gpus]));
    const name = `node-${index}`;
    nodes.push(
      gpuNode(name, slices, { gpus, labels: { 'eks.amazonaws.com/nodegroup': `pool-${index % 10}` } }),
    );
    for (const [slot, count] of Object.entries(slices)) {
      for (let slice = 0; slice < count; slice += 1) {
        if (random() > fill) continue;
        const pod = running(`app-${Math.floor(random() * 500)}`, name, slot, pods.length);
        pods.push(random() < 0.02 ? { ...pod, controller: null } : pod);
      }
    }
  }
  for (let index = 0; index < waiting; index += 1) {
    const slot = ['1g.24gb', '2g.48gb', '4g.96gb', null][Math.floor(random() * 4)] ?? null;
    pods.push(pending(`new-${index}`, slot));
  }
  // The rest of the pods are there, and want no GPU.
  for (let index = pods.length; index < podCount; index += 1) {
    pods.push({ ...running('web', `node-${index % nodeCount}`, null, index), wants: {} });
  }
  return { nodes, pods, dra: null };
}

async function runClusterPlan({ quick }: BenchOptions): Promise<Outcome> {
  const { solve } = await loadSolver();
  const [nodes, pods] = quick ? [500, 5000] : [5000, 50_000];
  const cases: readonly (readonly [string, number, number, Partial<ClusterPlanOptions>])[] = [
    ['nothing waits', 0, 0.8, {}],
    ['200 wait, 80 % used', 200, 0.8, {}],
    ['200 wait, all used', 200, 1, {}],
    ['2,000 wait, 95 % used', 2000, 0.95, {}],
    ['--consolidate, 60 % used', 0, 0.6, { consolidate: true }],
  ];
  const measured = cases.map(([name, waiting, fill, options]) => {
    const state = clusterOf(nodes, pods, waiting, fill);
    const { result, ms } = timed(() => planCluster(state, { prices: defaultPrices, solve, ...options }));
    if (!result.ok) throw new Error(result.why.message);
    return { name, plan: result.plan, seconds: ms / 1000 };
  });
  return {
    rows: measured.map(({ name, plan, seconds }) => ({
      case: name,
      'nodes cut': plan.nodes.length,
      'pods moved': plan.moves.length,
      'get a place': plan.seated.reduce((sum, { count }) => sum + count, 0),
      'left out': plan.unplaced.reduce((sum, { count }) => sum + count, 0),
      seconds: seconds.toFixed(2),
    })),
    bars: measured.map(({ name, seconds }) => atMost(`${name}: seconds`, seconds, 5)),
  };
}
