/** Plans of clusters: examples, then laws against brute force. Long, since both speak of the same made clusters. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import { modelByKey } from '#core/catalogue/catalogue';
import { defaultPrices } from '#core/cost/default-prices';
import { checkLayout } from '#core/geometry/check';
import type { Solve } from '#core/packing/linear-program';
import type { ClusterPod, ClusterState } from '../objects.js';
import { fewestDisturbed } from '../../../../test/support/brute-cluster.js';
import { card, gpuNode, pending, running } from '../../../../test/support/planned-cluster.js';
import type { ClusterPlan } from './answer.js';
import { planCluster, type ClusterPlanOptions } from './plan-cluster.js';

let solve: Solve;
beforeAll(async () => {
  ({ solve } = await loadSolver());
});

function planOf(state: ClusterState, options: Partial<ClusterPlanOptions> = {}): ClusterPlan {
  const answer = planCluster(state, { prices: defaultPrices, solve, ...options });
  if (!answer.ok) throw new Error(answer.why.message);
  return answer.plan;
}

function cluster(nodes: ClusterState['nodes'], pods: readonly ClusterPod[]): ClusterState {
  return { nodes, pods, dra: null };
}

describe('what pends gets a place with the least disturbance', () => {
  it('nothing waits: nothing to do', () => {
    const node = gpuNode('a', { '1g.24gb': 4 });
    const plan = planOf(cluster([node], [running('x', 'a', '1g.24gb')]));
    expect(plan).toMatchObject({ verdict: 'nothing-to-do', nodes: [], moves: [], plan: null });
    expect(plan.summary).toContain('Nothing to do');
  });

  it('a slice is free already: something else keeps the pod waiting', () => {
    const plan = planOf(cluster([gpuNode('a', { '1g.24gb': 4 })], [pending('x', '1g.24gb')]));
    expect(plan).toMatchObject({ verdict: 'nothing-to-do', seated: [{ isThere: true, on: ['a'] }] });
  });

  it('an idle node is cut anew before one that pods are on', () => {
    const nodes = [gpuNode('a', { '1g.24gb': 4 }), gpuNode('b', { '1g.24gb': 4 })];
    const plan = planOf(cluster(nodes, [running('x', 'a', '1g.24gb'), pending('y', '2g.48gb')]));
    expect(plan).toMatchObject({
      verdict: 'change',
      nodes: [{ node: 'b', before: { '1g.24gb': 4 }, after: { '2g.48gb': 1 } }],
      moves: [],
      seated: [{ slice: '2g.48gb', count: 1, on: ['b'], isThere: false }],
    });
    expect(plan.plan?.layouts).toEqual([
      expect.objectContaining({ node: 'b', index: 0, mig: true, placements: expect.any(Array) }),
    ]);
  });

  it('the pod on the only node moves back onto it, in a cut that holds both', () => {
    const pods = [running('x', 'a', '1g.24gb'), pending('y', '2g.48gb')];
    const plan = planOf(cluster([gpuNode('a', { '1g.24gb': 4 })], pods));
    expect(plan.moves).toMatchObject([{ name: 'x', from: 'a', to: 'a', slice: '1g.24gb' }]);
    expect(plan.nodes).toMatchObject([{ after: { '2g.48gb': 1, '1g.24gb': 2 } }]);
  });

  it.each([
    ['a bare pod', { controller: null }, 'no controller'],
    ['a pod that says so', { annotations: { 'mica.dev/movable': 'false' } }, 'mica.dev/movable'],
    [
      'what the autoscaler may not evict',
      { annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } },
      'safe-to-evict',
    ],
    ['a DaemonSet', { controller: { kind: 'DaemonSet', name: 'd', uid: 'd' } }, 'DaemonSet'],
  ])('%s keeps its node as it is', (_, said, why) => {
    const pods = [{ ...running('x', 'a', '1g.24gb'), ...said }, pending('y', '2g.48gb')];
    const plan = planOf(cluster([gpuNode('a', { '1g.24gb': 4 })], pods));
    expect(plan).toMatchObject({ verdict: 'stuck', nodes: [], moves: [] });
    expect(plan.unplaced[0]?.why).toContain(why);
  });

  it('the higher priority gets what is scarce', () => {
    const pods = [
      { ...pending('low', '4g.96gb'), priority: 0 },
      { ...pending('high', '1g.24gb'), priority: 10 },
    ];
    const plan = planOf(cluster([gpuNode('a', { '2g.48gb': 2 })], pods));
    expect(plan.seated.map(({ workload }) => workload)).toEqual(['Deployment default/high']);
    expect(plan.unplaced.map(({ workload }) => workload)).toEqual(['Deployment default/low']);
  });

  it('selectors and taints say which nodes may serve a pod', () => {
    const other = gpuNode('b', { '1g.24gb': 4 }, { labels: { zone: 'b' } });
    const tainted = gpuNode(
      'c',
      { '1g.24gb': 4 },
      { taints: [{ key: 'team', value: 'x', effect: 'NoSchedule' }] },
    );
    const picky = { ...pending('y', '2g.48gb'), nodeSelector: { zone: 'b' } };
    expect(planOf(cluster([gpuNode('a', { '1g.24gb': 4 }), other], [picky])).nodes).toMatchObject([
      { node: 'b' },
    ]);
    const stuck = planOf(cluster([tainted], [pending('y', '2g.48gb')]));
    expect(stuck.unplaced[0]?.why).toContain('team=x:NoSchedule');
  });

  it('whole GPUs, several on one node', () => {
    const nodes = [gpuNode('a', { '1g.24gb': 16 }, { gpus: 4 }), gpuNode('b', { '1g.24gb': 8 }, { gpus: 2 })];
    const plan = planOf(cluster(nodes, [pending('train', null, 4)]));
    expect(plan.nodes).toMatchObject([{ node: 'a', after: { whole: 4 } }]);
    expect(plan.plan?.layouts.map(({ mig }) => mig)).toEqual([false, false, false, false]);
  });

  it('of a node with several GPUs, those that nobody needs cut stay as they are', () => {
    const plan = planOf(cluster([gpuNode('a', { '1g.24gb': 16 }, { gpus: 4 })], [pending('y', '2g.48gb')]));
    expect(plan.nodes).toMatchObject([{ after: { '2g.48gb': 2, '1g.24gb': 12 } }]);
  });

  it('a node whose GPUs are cut in two ways is never cut into what it offers already', () => {
    const nodes = [
      gpuNode('a', { '4g.96gb': 1 }, { taints: [{ key: 'team', value: 'x', effect: 'NoSchedule' }] }),
      gpuNode('b', { '1g.24gb': 2, '2g.48gb': 1, '4g.96gb': 1 }, { gpus: 2 }),
    ];
    const tolerant: ClusterPod['tolerations'] = [
      { key: 'team', operator: 'Exists', value: '', effect: null },
    ];
    const runs = ['1g.24gb', '1g.24gb', '4g.96gb'].map((size, index) => running(`r${index}`, 'b', size));
    const moving = { ...running('moving', 'b', '2g.48gb'), tolerations: tolerant };
    const plan = planOf(cluster(nodes, [...runs, moving, pending('y', '2g.48gb')]));
    expect(plan).toMatchObject({ verdict: 'stuck', nodes: [] });
  });

  it('of GPUs that are cut in two ways, one is cut for a pod that wants several slices', () => {
    const node = gpuNode('a', { '1g.24gb': 4, whole: 1 }, { gpus: 2 });
    const plan = planOf(cluster([node], [pending('y', '1g.24gb', 2), pending('z', '2g.48gb', 2)]));
    expect(plan).toMatchObject({ verdict: 'change', unplaced: [], moves: [] });
  });

  it('nodes that are not ready, cordoned, at work or without a mig-manager stay as they are', () => {
    const nodes = [
      gpuNode('a', { '1g.24gb': 4 }, { isReady: false }),
      gpuNode('b', { '1g.24gb': 4 }, { isCordoned: true }),
      gpuNode('c', { '1g.24gb': 4 }, { labels: { 'nvidia.com/mig.config.state': 'pending' } }),
    ];
    const plan = planOf(cluster(nodes, [pending('y', '2g.48gb')]));
    expect(plan).toMatchObject({ verdict: 'stuck', nodes: [] });
    expect(plan.notes.join('\n')).toMatch(/not ready[^]*cordoned[^]*pending/);
  });
});

describe('GKE: one size a pool', () => {
  const gke = (name: string, size: string | null, pool: string) =>
    gpuNode(name, size === null ? { whole: 1 } : { [size]: 4 }, { gke: { size, pool } });

  it('a pool with another size is made, and the node of the old one goes', () => {
    const pod = {
      ...pending('y', null),
      nodeSelector: { 'cloud.google.com/gke-gpu-partition-size': '2g.48gb' },
    };
    const plan = planOf(cluster([gke('a', '1g.24gb', 'small'), gke('b', '1g.24gb', 'small')], [pod]));
    expect(plan.pools).toEqual([
      {
        ...{ action: 'add', pool: 'mica-g4-standard-48-2g-48gb', like: 'small', partitioner: 'gke' },
        ...{ machineType: 'g4-standard-48', size: '2g.48gb', nodes: { before: 0, after: 1 }, leaving: [] },
      },
      expect.objectContaining({
        action: 'shrink',
        pool: 'small',
        nodes: { before: 2, after: 1 },
        leaving: ['a'],
      }),
    ]);
    expect(plan.machines?.layouts).toMatchObject([{ node: 'g4-standard-48-1', mig: true }]);
    expect(plan.plan).toBeNull();
    expect(plan.cost.now.usdPerHour).toBe(plan.cost.after.usdPerHour);
  });

  it('a pool whose labels would keep the pod out does not grow for it', () => {
    const zoned = (name: string, size: string, pool: string, zone: string) =>
      gpuNode(name, { whole: 2 }, { gke: { size, pool }, labels: { zone } });
    const full = [running('x', 'b', null), running('y', 'b', null)].map((pod) => ({
      ...pod,
      controller: null,
    }));
    const pod = {
      ...pending('z', null),
      nodeSelector: { 'cloud.google.com/gke-gpu-partition-size': '2g.48gb', zone: 'a' },
    };
    const nodes = [zoned('a', '1g.24gb', 'small-a', 'a'), zoned('b', '2g.48gb', 'large-b', 'b')];
    expect(planOf(cluster(nodes, [...full, pod])).pools).toMatchObject([
      { action: 'add', pool: 'mica-g4-standard-48-2g-48gb', like: 'small-a' },
      { action: 'drop', pool: 'small-a' },
    ]);
  });

  it('who selects a node by its name stays on it: a node that is made has another', () => {
    const labels = { 'kubernetes.io/hostname': 'a' };
    const nodes = [gpuNode('a', { whole: 4 }, { gke: { size: '1g.24gb', pool: 'small' }, labels })];
    const selector = { 'cloud.google.com/gke-gpu-partition-size': '1g.24gb', ...labels };
    const pods = [{ ...running('x', 'a', null), nodeSelector: selector }];
    const wish = { 'cloud.google.com/gke-gpu-partition-size': '2g.48gb' };
    const plan = planOf(cluster(nodes, [...pods, { ...pending('y', null), nodeSelector: wish }]));
    expect(plan.notes.join()).toContain('it selects nodes by kubernetes.io/hostname');
    expect(plan.verdict).toBe('stuck');
  });

  it('a pool of that size that is there grows', () => {
    const pod = {
      ...pending('y', null),
      nodeSelector: { 'cloud.google.com/gke-gpu-partition-size': '2g.48gb' },
    };
    const full = gpuNode('b', { '2g.48gb': 0 }, { gke: { size: '2g.48gb', pool: 'large' } });
    const plan = planOf(cluster([gke('a', '1g.24gb', 'small'), full], [pod]));
    expect(plan.pools).toMatchObject([
      { action: 'grow', pool: 'large', nodes: { before: 1, after: 2 } },
      { action: 'drop', pool: 'small', nodes: { before: 1, after: 0 } },
    ]);
  });
});

describe('nvidia.com/gpu of more than one size', () => {
  const single = (name: string, size: string, said = {}) =>
    gpuNode(
      name,
      { whole: perGpu[size] ?? 1 },
      {
        labels: {
          'nvidia.com/mig.strategy': 'single',
          'nvidia.com/gpu.product': size === 'whole' ? product : `${product}-MIG-${size}`,
          'node.kubernetes.io/instance-type': 'g7e.2xlarge',
        },
        ...said,
      },
    );
  const asking = (pod: ClusterPod, size: string): ClusterPod => ({
    ...pod,
    nodeSelector: { 'nvidia.com/gpu.product': `${product}-MIG-${size}` },
  });

  it('who runs without saying the size is not moved: made again, it may take any', () => {
    const pods = [running('vague', 'a', null), asking(pending('y', null), '2g.48gb')];
    const plan = planOf(cluster([single('a', '1g.24gb')], pods));
    expect(plan.verdict).toBe('stuck');
    expect(plan.notes.join()).toContain('without saying the size');
    const said = [asking(running('sure', 'a', null), '1g.24gb'), ...pods.slice(1)];
    expect(planOf(cluster([single('a', '1g.24gb'), single('b', '1g.24gb')], said)).moves).toEqual([]);
  });

  it('who waits without saying the size gets the first that is free, and nothing is cut for it', () => {
    const nodes = [single('a', '1g.24gb'), single('b', '2g.48gb')];
    const plan = planOf(cluster(nodes, [pending('vague', null)]));
    expect(plan).toMatchObject({
      verdict: 'nothing-to-do',
      seated: [{ slice: '1g.24gb', on: ['a'], isThere: true }],
    });
  });

  it('where there is one size, that is what is meant', () => {
    const running4 = [0, 1, 2, 3].map((index) => running('x', 'a', null, index));
    const plan = planOf(cluster([single('a', '1g.24gb')], [...running4, pending('y', null)]));
    expect(plan).toMatchObject({ verdict: 'stuck', unplaced: [{ why: expect.stringContaining('1g.24gb') }] });
  });
});

describe('renting', () => {
  it('only where it is asked for, and no more than it takes', () => {
    const state = cluster(
      [gpuNode('a', { '1g.24gb': 4 })],
      [
        { ...running('x', 'a', '1g.24gb'), controller: null },
        pending('y', '2g.48gb'),
        pending('z', '2g.48gb'),
      ],
    );
    expect(planOf(state)).toMatchObject({ verdict: 'stuck' });
    const plan = planOf(state, { rent: [{ machineType: 'g7e.2xlarge', max: 5 }] });
    expect(plan).toMatchObject({
      verdict: 'change',
      pools: [{ action: 'add', machineType: 'g7e.2xlarge', nodes: { before: 0, after: 1 } }],
      unplaced: [],
      moves: [],
    });
    expect(plan.machines?.machines).toMatchObject([{ machineType: 'g7e.2xlarge', count: 1 }]);
  });
});

describe('what an audit recommends', () => {
  const right = { namespace: 'default', kind: 'Deployment', name: 'x', model: card.key, profile: '1g.24gb' };

  it('replaces what is asked where that frees a node', () => {
    const nodes = [gpuNode('a', { '2g.48gb': 2 }), gpuNode('b', { '2g.48gb': 2 })];
    const pods = [
      running('x', 'a', '2g.48gb', 0),
      running('x', 'a', '2g.48gb', 1),
      running('x', 'b', '2g.48gb', 2),
    ];
    const plan = planOf(cluster(nodes, pods), { rightSizes: [right] });
    expect(plan.requests).toEqual([
      { workload: 'Deployment default/x', pods: 3, from: '2g.48gb', to: '1g.24gb' },
    ]);
    expect(plan.pools).toMatchObject([{ nodes: { before: 2, after: 1 } }]);
  });

  it('is left where it frees nothing', () => {
    const plan = planOf(cluster([gpuNode('a', { '2g.48gb': 2 })], [running('x', 'a', '2g.48gb')]), {
      rightSizes: [right],
    });
    expect(plan).toMatchObject({ verdict: 'nothing-to-do', requests: [] });
    expect(plan.notes.join()).toContain('would free no node');
  });
});

it('--consolidate moves pods to leave nodes empty', () => {
  const nodes = [gpuNode('a', { '1g.24gb': 4 }), gpuNode('b', { '1g.24gb': 4 })];
  const pods = [running('x', 'a', '1g.24gb'), running('y', 'b', '1g.24gb')];
  expect(planOf(cluster(nodes, pods)).verdict).toBe('nothing-to-do');
  const plan = planOf(cluster(nodes, pods), { consolidate: true });
  expect(plan.moves).toHaveLength(1);
  expect(plan.pools).toMatchObject([{ action: 'shrink', nodes: { before: 2, after: 1 } }]);
});

const layouts = [
  { '1g.24gb': 4 },
  { '2g.48gb': 2 },
  { '2g.48gb': 1, '1g.24gb': 2 },
  { '4g.96gb': 1 },
  { whole: 1 },
];
const smallCluster = fc
  .array(
    fc.record({
      layout: fc.constantFrom<Readonly<Record<string, number>>>(...layouts),
      used: fc.integer({ min: 0, max: 4 }),
      fixed: fc.integer({ min: 0, max: 9 }),
      zone: fc.constantFrom('a', 'b'),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .chain((nodes) =>
    fc
      .array(
        fc.record({
          slot: fc.constantFrom('1g.24gb', '2g.48gb', '4g.96gb', 'whole'),
          zone: fc.constantFrom(null, null, 'a', 'b'),
        }),
        { maxLength: 6 },
      )
      .map((asks) => stateFrom(nodes, asks)),
  );

interface MadeNode {
  readonly layout: Readonly<Record<string, number>>;
  readonly used: number;
  readonly fixed: number;
  readonly zone: string;
  readonly gpus?: number;
}

function stateFrom(
  nodes: readonly MadeNode[],
  asks: readonly { slot: string; zone: string | null }[],
): ClusterState {
  const pods: ClusterPod[] = [];
  for (const [index, { layout, used, fixed }] of nodes.entries()) {
    const slots = Object.entries(layout).flatMap(([slot, count]) =>
      Array.from({ length: count }, () => slot),
    );
    for (const [order, slot] of slots.slice(0, used).entries()) {
      const pod = running(`r${index}-${order}`, `n${index}`, slot === 'whole' ? null : slot);
      pods.push(fixed === order ? { ...pod, controller: null } : pod);
    }
  }
  for (const [index, { slot, zone }] of asks.entries()) {
    const pod = pending(`p${index}`, slot === 'whole' ? null : slot);
    pods.push(zone === null ? pod : { ...pod, nodeSelector: { zone } });
  }
  return cluster(
    nodes.map(({ layout, zone, gpus = 1 }, index) =>
      gpuNode(`n${index}`, layout, { gpus, labels: { zone } }),
    ),
    pods,
  );
}

describe('laws', () => {
  it('as brute force: places as much of a card, and disturbs no more pods', () => {
    fc.assert(
      fc.property(smallCluster, (state) => {
        const plan = planOf(state);
        const best = fewestDisturbed(state);
        const weightOf = (name: string): number => best.weights.get(name) ?? Number.NaN;
        const out = plan.unplaced.reduce(
          (sum, { workload, count }) => sum + count * weightOf(workload.replace(/^.*\//, '')),
          0,
        );
        expect(out).toBeCloseTo(best.unplaced, 6);
        expect(plan.moves.length).toBe(best.disturbed);
      }),
      { numRuns: 150 },
    );
  });

  it('as brute force, where nodes have two GPUs that are cut in two ways', () => {
    const two = fc.tuple(fc.constantFrom(...layouts), fc.constantFrom(...layouts), fc.nat(4), fc.nat(9));
    const asks = fc.array(fc.constantFrom('1g.24gb', '2g.48gb', '4g.96gb', 'whole'), { maxLength: 5 });
    const worlds = fc.tuple(fc.array(two, { minLength: 1, maxLength: 2 }), asks).map(([nodes, slots]) => {
      const made = nodes.map(([first, second, used, fixed]) => {
        const layout: Record<string, number> = { ...first };
        for (const [slot, count] of Object.entries(second)) layout[slot] = (layout[slot] ?? 0) + count;
        return { layout, used, fixed, zone: 'a', gpus: 2 };
      });
      return stateFrom(
        made,
        slots.map((slot) => ({ slot, zone: null })),
      );
    });
    fc.assert(
      fc.property(worlds, (state) => {
        const plan = planOf(state);
        const best = fewestDisturbed(state);
        const lost = plan.unplaced.map(
          ({ workload, count }) => count * (best.weights.get(workload.replace(/^.*\//, '')) ?? Number.NaN),
        );
        expect(lost.reduce((sum, one) => sum + one, 0)).toBeCloseTo(best.unplaced, 6);
        expect(plan.moves.length).toBe(best.disturbed);
      }),
      { numRuns: 40 },
    );
  });

  it('no slice goes away under a pod that stays; whoever moves has a seat; layouts are legal; no GPU is added', () => {
    fc.assert(
      fc.property(smallCluster, fc.boolean(), (state, consolidate) => {
        const plan = planOf(state, { consolidate });
        const changed = new Set([
          ...plan.nodes.map(({ node }) => node),
          ...plan.pools.flatMap(({ leaving }) => leaving),
        ]);
        const onChanged = state.pods.filter(({ node }) => node !== null && changed.has(node));
        expect(onChanged.filter(({ controller }) => controller === null)).toEqual([]);
        expect(plan.moves.map(({ name }) => name).sort()).toEqual(onChanged.map(({ name }) => name).sort());
        const { layouts: gpus = [] } = plan.plan ?? {};
        for (const { mig, placements, model } of gpus) {
          const known = modelByKey(model);
          if (known?.kind !== 'mig') throw new Error(model);
          expect(mig || placements.length === 0).toBe(true);
          expect(checkLayout(known, placements).ok).toBe(true);
        }
        for (const { node, after } of plan.nodes) {
          const made: Record<string, number> = {};
          for (const gpu of gpus.filter((one) => one.node === node))
            for (const slot of gpu.mig ? gpu.placements.map(({ profile }) => profile) : ['whole'])
              made[slot] = (made[slot] ?? 0) + 1;
          expect(made).toEqual(after);
        }
        expect(plan.machines).toBeNull();
        expect(seatsHold(state, plan, changed)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('the order of nodes and pods changes nothing', () => {
    fc.assert(
      fc.property(smallCluster, (state) => {
        const turned = { ...state, nodes: state.nodes.toReversed(), pods: state.pods.toReversed() };
        expect(planOf(turned)).toEqual(planOf(state));
      }),
      { numRuns: 50 },
    );
  });
});

const anyNode = fc.record({
  kind: fc.constantFrom('mixed', 'mixed', 'single', 'gke'),
  gpus: fc.constantFrom(1, 2, 4),
  size: fc.constantFrom('1g.24gb', '2g.48gb', 'whole'),
  used: fc.integer({ min: 0, max: 16 }),
  isBare: fc.nat(4).map((number) => number === 0),
});
const anyAsk = fc.record({
  slot: fc.constantFrom('1g.24gb', '2g.48gb', '4g.96gb', 'whole'),
  count: fc.constantFrom(1, 1, 2, 4),
  as: fc.constantFrom('mixed', 'single', 'gke'),
});
const perGpu: Readonly<Record<string, number>> = { '1g.24gb': 4, '2g.48gb': 2, whole: 1 };
const g4: Readonly<Record<number, string>> = {
  1: 'g4-standard-48',
  2: 'g4-standard-96',
  4: 'g4-standard-192',
};
const g7e: Readonly<Record<number, string>> = { 1: 'g7e.2xlarge', 2: 'g7e.12xlarge', 4: 'g7e.24xlarge' };
const product = 'NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition';

/** Nodes of all styles with several GPUs, pods that want several slices at once. */
const anyCluster = fc
  .tuple(fc.array(anyNode, { minLength: 1, maxLength: 5 }), fc.array(anyAsk, { maxLength: 6 }))
  .map(([nodes, asks]): ClusterState => {
    const pods: ClusterPod[] = [];
    const made = nodes.map(({ kind, gpus, size, used, isBare }, index) => {
      const name = `n${index}`;
      const all = (perGpu[size] ?? 0) * gpus;
      for (let pod = 0; pod < Math.min(used, all); pod += 1) {
        const one = running(`r${index}-${pod}`, name, kind === 'mixed' && size !== 'whole' ? size : null);
        pods.push(isBare && pod === 0 ? { ...one, controller: null } : one);
      }
      if (kind === 'mixed') return gpuNode(name, { [size]: all }, { gpus });
      if (kind === 'gke') {
        const gke = { size: size === 'whole' ? null : size, pool: `gke-${size}-${gpus}` };
        const labels = { 'node.kubernetes.io/instance-type': g4[gpus] ?? '' };
        return gpuNode(name, { whole: all }, { gpus, gke, labels });
      }
      const labels = {
        'nvidia.com/mig.strategy': 'single',
        'nvidia.com/gpu.count': String(all),
        'nvidia.com/gpu.product': size === 'whole' ? product : `${product}-MIG-${size}`,
        'node.kubernetes.io/instance-type': g7e[gpus] ?? '',
      };
      return gpuNode(name, { whole: all }, { labels });
    });
    for (const [index, { slot, count, as }] of asks.entries()) {
      const isMixed = as === 'mixed' && slot !== 'whole';
      const pod = pending(`p${index}`, isMixed ? slot : null, count);
      const selector =
        slot === 'whole' || isMixed
          ? {}
          : as === 'gke'
            ? { 'cloud.google.com/gke-gpu-partition-size': slot }
            : { 'nvidia.com/gpu.product': `${product}-MIG-${slot}` };
      pods.push({ ...pod, nodeSelector: selector });
    }
    return cluster(made, pods);
  });

describe('nodes of all styles, several GPUs, several slices at once', () => {
  it('who runs stays or has a seat, who may not move is not touched, no GPU is added', () => {
    fc.assert(
      fc.property(anyCluster, fc.boolean(), (state, consolidate) => {
        const plan = planOf(state, { consolidate });
        const changed = new Set([
          ...plan.nodes.map(({ node }) => node),
          ...plan.pools.flatMap(({ leaving }) => leaving),
        ]);
        const onChanged = state.pods.filter(({ node }) => node !== null && changed.has(node));
        expect(onChanged.filter(({ controller }) => controller === null)).toEqual([]);
        expect(plan.moves.map(({ name }) => name).sort()).toEqual(onChanged.map(({ name }) => name).sort());
        const waiting = state.pods.filter(({ node }) => node === null).length;
        const told = [...plan.seated, ...plan.unplaced].reduce((sum, { count }) => sum + count, 0);
        expect(told).toBe(waiting);
        const grown = plan.pools.reduce((sum, { nodes }) => sum + nodes.after - nodes.before, 0);
        expect(grown).toBeLessThanOrEqual(0);
        for (const { placements, model } of [
          ...(plan.plan?.layouts ?? []),
          ...(plan.machines?.layouts ?? []),
        ]) {
          const known = modelByKey(model);
          if (known?.kind !== 'mig') throw new Error(model);
          expect(checkLayout(known, placements).ok).toBe(true);
        }
        const ofNode = new Map(plan.plan?.layouts.map(({ node }) => [node, 0]));
        for (const { node } of plan.plan?.layouts ?? []) ofNode.set(node, (ofNode.get(node) ?? 0) + 1);
        for (const { node, gpus } of plan.nodes) expect(ofNode.get(node)).toBe(gpus);
      }),
      { numRuns: 200 },
    );
  });
});

/** Slots of nodes that are promised more often than they are there afterwards. */
function seatsHold(state: ClusterState, plan: ClusterPlan, changed: ReadonlySet<string>): readonly string[] {
  const left = new Map<string, number>();
  const add = (node: string, slot: string, count: number): void => {
    left.set(`${node}/${slot}`, (left.get(`${node}/${slot}`) ?? 0) + count);
  };
  const slotOf = (pod: ClusterPod): string =>
    (Object.keys(pod.wants)[0] ?? '').replace('nvidia.com/gpu', 'whole').replace('nvidia.com/mig-', '');
  for (const { node, after } of plan.nodes)
    for (const [slot, count] of Object.entries(after)) add(node, slot, count);
  for (const { name, allocatable } of state.nodes) {
    if (changed.has(name)) continue;
    for (const [resource, count] of Object.entries(allocatable))
      add(name, resource.replace('nvidia.com/gpu', 'whole').replace('nvidia.com/mig-', ''), count);
  }
  for (const pod of state.pods) {
    const move = plan.moves.find(({ name }) => name === pod.name);
    const seat = plan.seated.find(({ workload }) => workload.endsWith(`/${pod.name}`));
    const node = move?.to ?? pod.node ?? seat?.on[0];
    if (node !== undefined) add(node, slotOf(pod), -1);
  }
  return [...left].filter(([, count]) => count < 0).map(([key]) => key);
}
