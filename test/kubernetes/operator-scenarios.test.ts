/** Changes of nodes under the GPU Operator, good ones and each known trap, with every write in order as golden files. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { GpuCut, NodeCut } from '#core/cluster/operator/mig-config';
import type { NodesAnswer } from '#engines/cluster/answer';
import { changeNodes } from '#engines/cluster/change-nodes';
import type { NodesOptions } from '#engines/cluster/options';
import {
  OperatorWorld,
  secondGpuAnew,
  smallAndLarge,
  wholeCards,
  type WorldOptions,
} from './actors/operator-world.js';

interface Scenario {
  readonly name: string;
  readonly world?: WorldOptions;
  readonly cut?: NodeCut;
  readonly options?: (world: OperatorWorld) => Partial<NodesOptions>;
  /** Before and while it is changed. */
  readonly meanwhile?: (world: OperatorWorld) => void;
  readonly outcome: NodesAnswer['outcome'];
  readonly why?: string;
  /** How the node is left. */
  readonly cordoned?: boolean;
}

const mine = (config: string): boolean => config.startsWith('mica-');
const cutAll = (counts: Readonly<Record<string, number>>): NodeCut =>
  new Map<number, GpuCut>([0, 1].map((index) => [index, { mig: true, counts }]));

const scenarios: readonly Scenario[] = [
  { name: 'one-gpu', outcome: 'done' },
  { name: 'unchanged', cut: smallAndLarge, outcome: 'unchanged' },
  { name: 'holders-unknown', options: () => ({ holders: new Map() }), outcome: 'done' },
  { name: 'mode-change', world: { start: wholeCards }, cut: smallAndLarge, outcome: 'done' },
  {
    name: 'mode-change-reboot',
    world: { start: wholeCards, traps: { reboots: 'back' } },
    cut: smallAndLarge,
    outcome: 'done',
  },
  { name: 'mig-off', cut: wholeCards, outcome: 'done' },
  { name: 'two-nodes', world: { nodes: 2 }, outcome: 'done' },
  {
    name: 'cordoned-by-somebody-else',
    meanwhile: ({ cluster }) => cluster.editNode('gpu-1', { isCordoned: true }),
    outcome: 'done',
    cordoned: true,
  },
  {
    name: 'startup-taint',
    meanwhile: ({ cluster }) =>
      cluster.editNode('gpu-1', {
        taints: [{ key: 'mica.dev/mig-not-ready', value: '', effect: 'NoSchedule' }],
      }),
    outcome: 'done',
  },
  {
    name: 'budget-delays',
    world: { minAvailable: 1 },
    meanwhile: (world) => spareLater(world, 40_000),
    outcome: 'done',
  },
  { name: 'budget-forbids', world: { minAvailable: 1 }, outcome: 'rolled-back', why: 'pods-stay' },
  { name: 'pending-once', world: { traps: { hangsPending: 'once' } }, outcome: 'done' },
  {
    name: 'pending-for-ever',
    world: { traps: { hangsPending: 'always' } },
    outcome: 'rolled-back',
    why: 'pending',
  },
  { name: 'failed', world: { traps: { fails: mine } }, outcome: 'rolled-back', why: 'failed' },
  {
    name: 'failed-for-both',
    world: { traps: { fails: () => true } },
    outcome: 'failed',
    why: 'failed',
    cordoned: true,
  },
  {
    name: 'paused-after-failure',
    world: { traps: { fails: mine, pausedAfterFailure: true } },
    outcome: 'rolled-back',
    why: 'failed',
  },
  { name: 'paused-after-success', world: { traps: { pausedAfterSuccess: true } }, outcome: 'done' },
  { name: 'same-value-again', meanwhile: sameValue, cut: cutAll({ '1g.10gb': 7 }), outcome: 'done' },
  {
    name: 'nothing-created',
    world: { traps: { createsNothing: mine } },
    outcome: 'rolled-back',
    why: 'not-offered',
  },
  { name: 'started-without-driver', world: { traps: { startedWithoutDriver: true } }, outcome: 'done' },
  {
    name: 'says-nothing',
    world: { traps: { saysNothing: true } },
    outcome: 'failed',
    why: 'silent',
    cordoned: true,
  },
  { name: 'stale-plugin', world: { traps: { stalePlugin: true } }, outcome: 'done' },
  { name: 'stale-labels', world: { traps: { staleLabels: 'old' } }, outcome: 'done' },
  { name: 'mig-invalid', world: { traps: { staleLabels: 'invalid' } }, outcome: 'done' },
  {
    name: 'reboots-and-never-back',
    world: { start: wholeCards, traps: { reboots: 'never' } },
    cut: smallAndLarge,
    outcome: 'failed',
    why: 'rebooting',
    cordoned: true,
  },
  {
    name: 'says-rebooting-and-does-not',
    world: { start: wholeCards, traps: { reboots: 'pretends' } },
    cut: smallAndLarge,
    outcome: 'failed',
    why: 'rebooting',
    cordoned: true,
  },
  {
    name: 'not-ready-after-mode-change',
    world: { start: wholeCards, traps: { notReady: true } },
    cut: smallAndLarge,
    outcome: 'failed',
    why: 'not-ready',
    cordoned: true,
  },
  {
    name: 'pod-started-before-the-cut',
    world: { start: wholeCards },
    cut: smallAndLarge,
    // Bound by the scheduler just before the cordon, and seen a moment after it.
    meanwhile: ({ cluster, clock }) =>
      clock.in(2_000, () =>
        cluster.addPod({
          name: 'early',
          node: 'gpu-1',
          controller: { kind: 'ReplicaSet', name: 'early', uid: 'rs-early' },
          wants: { 'nvidia.com/gpu': 1 },
          annotations: { 'test/gpu': '0' },
        }),
      ),
    outcome: 'done',
  },
  {
    name: 'label-taken-before',
    meanwhile: ({ cluster, clock }) =>
      clock.in(30_000, () => cluster.editNode('gpu-1', { labels: { 'nvidia.com/mig.config': 'another' } })),
    outcome: 'rolled-back',
    why: 'label-taken',
  },
  {
    name: 'label-taken-while-cut',
    meanwhile: ({ cluster, clock }) =>
      clock.in(100_000, () =>
        cluster.editNode('gpu-1', { labels: { 'nvidia.com/mig.config': 'all-disabled' } }),
      ),
    outcome: 'failed',
    why: 'label-taken',
    cordoned: true,
  },
  {
    name: 'uncordoned-before',
    meanwhile: ({ cluster, clock }) =>
      clock.in(30_000, () => cluster.editNode('gpu-1', { isCordoned: false })),
    outcome: 'rolled-back',
    why: 'uncordoned',
  },
  {
    name: 'uncordoned-while-cut',
    meanwhile: ({ cluster, clock }) =>
      clock.in(100_000, () => cluster.editNode('gpu-1', { isCordoned: false })),
    outcome: 'done',
  },
  {
    name: 'stops-after-a-bad-node',
    world: { nodes: 3, traps: { fails: () => true } },
    outcome: 'failed',
    why: 'failed',
    cordoned: true,
  },
];

describe('changing nodes under the GPU Operator', () => {
  it.each(scenarios)(
    '$name',
    async ({ name, world: said, cut, options, meanwhile, outcome, why, cordoned = false }) => {
      const world = new OperatorWorld(said);
      try {
        meanwhile?.(world);
        const answer = await changeNodes(
          world.ports(),
          world.wanted(cut),
          world.nodesOptions(options?.(world)),
        );
        const first = answer.nodes[0];
        const node = world.cluster.node('gpu-1');
        expect(world.cluster.broken).toEqual([]);
        compare(
          `${name}.txt`,
          [...world.cluster.log, '', `answer ${JSON.stringify(answer, null, 1)}`, '', ...left(world)].join(
            '\n',
          ),
        );
        expect(answer.outcome).toBe(outcome);
        expect(first?.why?.kind).toBe(why);
        expect(node.isCordoned).toBe(cordoned);
        expect(world.cluster.mostAway).toBeLessThanOrEqual(1);
        if (outcome === 'failed') {
          expect(node.annotations['mica.dev/reason']).not.toBe('');
          expect(node.annotations['mica.dev/next-step']).not.toBe('');
        } else expect(node.annotations['mica.dev/change']).toBeUndefined();
        if (outcome === 'done') expect(world.nodes[0]?.cut.get(1)).toEqual((cut ?? secondGpuAnew).get(1));
        if (outcome === 'rolled-back') expect(world.nodes[0]?.cut).toEqual(smallAndLarge);
      } finally {
        world.stop();
      }
    },
  );
});

describe('a node that was left cordoned', () => {
  it('is changed and given back by the same command, once what failed is mended', async () => {
    let isBroken = true;
    const world = new OperatorWorld({ traps: { fails: () => isBroken } });
    try {
      const first = await changeNodes(world.ports(), world.wanted(), world.nodesOptions());
      expect(first.outcome).toBe('failed');
      isBroken = false;
      const second = await changeNodes(world.ports(), world.wanted(), world.nodesOptions());
      const { isCordoned, annotations } = world.cluster.node('gpu-1');
      expect({ outcome: second.outcome, isCordoned }).toEqual({ outcome: 'done', isCordoned: false });
      expect(Object.keys(annotations)).toEqual(['mica.dev/last-change']);
      expect(world.nodes[0]?.cut.get(1)).toEqual(secondGpuAnew.get(1));
      expect(world.cluster.broken).toEqual([]);
      const third = await changeNodes(world.ports(), world.wanted(), world.nodesOptions());
      expect(third.outcome).toBe('unchanged');
    } finally {
      world.stop();
    }
  });
});

function left({ cluster }: OperatorWorld): readonly string[] {
  return [...cluster.nodes.values()]
    .filter(({ name }) => name !== 'other')
    .flatMap(({ name, isCordoned, isReady, allocatable, annotations }) => [
      `${name}:${isReady ? '' : ' not ready,'}${isCordoned ? ' cordoned,' : ''} ${JSON.stringify(allocatable)}`,
      ...['reason', 'next-step'].flatMap((key) => {
        const text = annotations[`mica.dev/${key}`];
        return text === undefined ? [] : [`  ${key}: ${text}`];
      }),
    ]);
}

/** A second replica, which the budget can do without the first of. */
function spareLater({ cluster, clock }: OperatorWorld, afterMs: number): void {
  clock.in(afterMs, () => cluster.addPod({ name: 'train-spare', node: 'other', labels: { app: 'train' } }));
}

/** The label says what is wanted, and failed. */
function sameValue({ cluster, nodes }: OperatorWorld): void {
  cluster.editNode('gpu-1', {
    labels: { 'nvidia.com/mig.config': 'mica-0.1-7x1g.10gb', 'nvidia.com/mig.config.state': 'failed' },
  });
  nodes[0]?.hasRead('mica-0.1-7x1g.10gb');
}

function compare(name: string, text: string): void {
  const path = new URL(`../golden/cluster/${name}`, import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, `${text}\n`);
  expect(`${text}\n`).toBe(readFileSync(path, 'utf8'));
}
