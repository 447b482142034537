/** What follows a plan: once it is carried out and the scheduler has placed the pods, there is nothing left to change. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import { defaultPrices } from '#core/cost/default-prices';
import type { Solve } from '#core/packing/linear-program';
import type { ClusterNode, ClusterPod, ClusterState } from '../objects.js';
import { gpuNode, pending } from '../../../../test/support/planned-cluster.js';
import type { ClusterPlan } from './answer.js';
import { planCluster } from './plan-cluster.js';

let solve: Solve;
beforeAll(async () => {
  ({ solve } = await loadSolver());
});

const layouts = [{ '1g.24gb': 4 }, { '2g.48gb': 1, '1g.24gb': 2 }, { '4g.96gb': 1 }, { whole: 1 }];
const someNode = fc.record({
  cards: fc.array(fc.constantFrom<Readonly<Record<string, number>>>(...layouts), {
    minLength: 1,
    maxLength: 2,
  }),
  zone: fc.constantFrom('a', 'b'),
});
const arrival = fc.record({
  slot: fc.constantFrom(null, '1g.24gb', '2g.48gb', '4g.96gb'),
  count: fc.constantFrom(1, 1, 2),
  zone: fc.constantFrom(null, null, 'a', 'b'),
  priority: fc.constantFrom(0, 10),
  isBare: fc.nat(9).map((number) => number === 0),
});
/** In each step some come, and every pod whose number is a multiple goes. */
const steps = fc.array(
  fc.record({ come: fc.array(arrival, { maxLength: 3 }), gone: fc.integer({ min: 2, max: 5 }) }),
  {
    minLength: 1,
    maxLength: 4,
  },
);

it('a second plan changes nothing, whatever comes and goes and wherever the scheduler puts it', () => {
  fc.assert(
    fc.property(
      fc.array(someNode, { minLength: 1, maxLength: 3 }),
      steps,
      fc.nat(99),
      (made, life, chance) => {
        let state: ClusterState = {
          nodes: made.map(({ cards, zone }, index) =>
            gpuNode(`n${index}`, sumOf(cards), { gpus: cards.length, labels: { zone } }),
          ),
          pods: [],
          dra: null,
        };
        let born = 0;
        for (const { come, gone } of life) {
          const stay = state.pods.filter((_, index) => (index + 1) % gone !== 0);
          const young = come.map(({ slot, count, zone, priority, isBare }): ClusterPod => {
            const pod = pending(`p${born++}`, slot, count);
            const nodeSelector = zone === null ? {} : { zone };
            return {
              ...pod,
              nodeSelector,
              priority,
              createdMs: born,
              ...(isBare ? { controller: null } : {}),
            };
          });
          state = scheduled({ ...state, pods: [...stay, ...young] }, chance);
          const first = planOf(state);
          if (first.verdict !== 'change') continue;
          state = scheduled(carriedOut(state, first), chance);
          const second = planOf(state);
          expect(second.nodes, `${first.summary} Then: ${second.summary}`).toEqual([]);
        }
      },
    ),
    { numRuns: 60 },
  );
});

function planOf(state: ClusterState): ClusterPlan {
  const answer = planCluster(state, { prices: defaultPrices, solve });
  if (!answer.ok) throw new Error(answer.why.message);
  return answer.plan;
}

function sumOf(cards: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const card of cards)
    for (const [slot, count] of Object.entries(card)) sum[slot] = (sum[slot] ?? 0) + count;
  return sum;
}

/** Nodes offer what was planned, and their pods were evicted and made again. */
function carriedOut({ nodes, pods }: ClusterState, plan: ClusterPlan): ClusterState {
  const after = new Map(plan.nodes.map((change) => [change.node, change]));
  return {
    nodes: nodes.map((node) => {
      const change = after.get(node.name);
      if (change === undefined) return node;
      const { labels } = node;
      return gpuNode(node.name, change.after, { gpus: change.gpus, labels });
    }),
    pods: pods.map((pod) =>
      pod.node !== null && after.has(pod.node) ? { ...pod, node: null, phase: 'Pending' } : pod,
    ),
    dra: null,
  };
}

/** By priority and age, to any node that has room. */
function scheduled({ nodes, pods, dra }: ClusterState, chance: number): ClusterState {
  const placed = new Map(pods.map((pod) => [pod.uid, pod]));
  const waiting = pods.filter(({ node }) => node === null);
  for (const pod of waiting.sort((a, b) => b.priority - a.priority || a.createdMs - b.createdMs)) {
    const fits = nodes.filter((node) => hasRoom(node, pod, [...placed.values()]));
    const node = fits[chance % Math.max(1, fits.length)];
    if (node !== undefined) placed.set(pod.uid, { ...pod, node: node.name, phase: 'Running' });
  }
  return { nodes, pods: [...placed.values()], dra };
}

function hasRoom(node: ClusterNode, pod: ClusterPod, pods: readonly ClusterPod[]): boolean {
  const zone = pod.nodeSelector['zone'];
  if (zone !== undefined && node.labels['zone'] !== zone) return false;
  return Object.entries(pod.wants).every(([resource, count]) => {
    const here = pods.filter((one) => one.node === node.name);
    const used = here.reduce((sum, { wants }) => sum + (wants[resource] ?? 0), 0);
    return (node.allocatable[resource] ?? 0) - used >= count;
  });
}
