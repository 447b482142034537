/**
 * What follows a plan. Where pods get the places that were planned for them, nothing is left to change. Where no running
 * pod is moved, that is so in the end whatever the scheduler does. (A scheduler that gives a pod, moved for another, the
 * very slice that the other needs can make plans that move pods go on: the cool-down of a policy is for that.)
 */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import { defaultPrices } from '#core/cost/default-prices';
import type { Solve } from '#core/packing/linear-program';
import type { ClusterNode, ClusterPod, ClusterState } from '../objects.js';
import { gpuNode, pending } from '../../../../test/support/planned-cluster.js';
import type { ClusterPlan } from './answer.js';
import { planCluster, type ClusterPlanOptions } from './plan-cluster.js';

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
type Made = typeof someNode extends fc.Arbitrary<infer T> ? T : never;
type Step = { readonly come: readonly Arrival[]; readonly gone: number };
type Arrival = typeof arrival extends fc.Arbitrary<infer T> ? T : never;

/** In each step some come, and every pod whose number is a multiple goes. */
const steps = fc.array(
  fc.record({ come: fc.array(arrival, { maxLength: 3 }), gone: fc.integer({ min: 2, max: 5 }) }),
  {
    minLength: 1,
    maxLength: 4,
  },
);

const world = [fc.array(someNode, { minLength: 1, maxLength: 3 }), steps, fc.nat(99)] as const;
const runs = { numRuns: 60 };

it('where pods get the places that were planned, a second plan changes nothing', () => {
  fc.assert(
    fc.property(...world, (made, life, chance) => {
      let state = clusterOf(made);
      for (const [index, step] of life.entries()) {
        state = scheduled(after(state, step, index), chance);
        const first = planOf(state);
        if (first.plan.verdict !== 'change') continue;
        state = asPlanned(carriedOut(state, first.plan), first);
        const { plan } = planOf(state);
        expect(plan.nodes, `${first.plan.summary} Then: ${plan.summary}`).toEqual([]);
      }
    }),
    runs,
  );
});

it('where no running pod is moved, plans come to rest whatever the scheduler does', () => {
  const rulesOf = () => ({ group: '', frozen: null, allowed: null, mayMovePods: false });
  fc.assert(
    fc.property(...world, (made, life, chance) => {
      let state = clusterOf(made);
      for (const [index, step] of life.entries()) {
        state = scheduled(after(state, step, index), chance);
        const waiting = state.pods.filter(({ node }) => node === null).length;
        const said: string[] = [];
        for (let { plan } = planOf(state, { rulesOf }); plan.verdict === 'change';) {
          said.push(plan.summary);
          expect(plan.moves).toEqual([]);
          expect(said.length, said.join(' Then: ')).toBeLessThanOrEqual(waiting);
          state = scheduled(carriedOut(state, plan), chance);
          ({ plan } = planOf(state, { rulesOf }));
        }
      }
    }),
    runs,
  );
});

type Planned = Extract<ReturnType<typeof planCluster>, { readonly ok: true }>;

function planOf(state: ClusterState, more: Partial<ClusterPlanOptions> = {}): Planned {
  const answer = planCluster(state, { prices: defaultPrices, solve, ...more });
  if (!answer.ok) throw new Error(answer.why.message);
  return answer;
}

function clusterOf(made: readonly Made[]): ClusterState {
  const nodes = made.map(({ cards, zone }, index) =>
    gpuNode(`n${index}`, sumOf(cards), { gpus: cards.length, labels: { zone } }),
  );
  return { nodes, pods: [], dra: null };
}

function after({ pods, ...rest }: ClusterState, { come, gone }: Step, index: number): ClusterState {
  const stay = pods.filter((_, place) => (place + 1) % gone !== 0);
  const young = come.map(({ slot, count, zone, priority, isBare }, place): ClusterPod => {
    const born = index * 10 + place;
    return {
      ...pending(`p${born}`, slot, count),
      nodeSelector: zone === null ? {} : { zone },
      ...{ priority, createdMs: born },
      ...(isBare ? { controller: null } : {}),
    };
  });
  return { ...rest, pods: [...stay, ...young] };
}

/** Each pod that pends is where the plan has a place for it. */
function asPlanned({ nodes, pods, dra }: ClusterState, { plan, seats }: Planned): ClusterState {
  const places = new Map<string, string | null>(plan.moves.map(({ name, to }) => [name, to]));
  for (const { pod, node } of seats) places.set(pod.name, node);
  const placed = pods.map((pod): ClusterPod => {
    const node = pod.node === null ? (places.get(pod.name) ?? null) : pod.node;
    return { ...pod, node, phase: node === null ? 'Pending' : 'Running' };
  });
  return { nodes, pods: placed, dra };
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
