/** A controller in a cluster that lives: what it does, says and leaves alone, with every write in order as golden files. */
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import type { Solve } from '#core/packing/linear-program';
import { changeNode } from '#engines/cluster/change-node';
import { defaultLimits } from '#core/cluster/operator/limits';
import { operatorNamespace } from '../support/operator-cluster.js';
import {
  ControllerWorld,
  cutOfGpus,
  type ControllerWorldOptions,
  type Gpu,
} from './actors/controller-world.js';

let solve: Solve;
beforeAll(async () => {
  ({ solve } = await loadSolver());
});

const ones: Gpu = { '1g.10gb': 7 };
const threes: Gpu = { '3g.40gb': 2 };

interface Scenario {
  readonly name: string;
  readonly world: ControllerWorldOptions;
  /** After the controller has begun. */
  readonly story: (world: ControllerWorld) => Promise<void>;
  readonly check: (world: ControllerWorld) => void;
}

/** Nodes that were begun to be changed, in order. */
const begun = ({ laws }: ControllerWorld): readonly string[] => laws.begun.map(({ node }) => node);
const outcomes = ({ processes }: ControllerWorld): readonly string[] =>
  processes.flatMap(({ news }) =>
    news.flatMap((one) => (one.kind === 'change-ended' ? [`${one.node} ${one.outcome}`] : [])),
  );
/** As `mica cluster apply` does it. */
const aPersonCuts = ({ cluster, clock }: ControllerWorld): ReturnType<typeof changeNode> =>
  changeNode(
    { api: cluster.api(), clock },
    { node: 'gpu-1', cut: cutOfGpus([threes]) },
    {
      ...{ namespace: operatorNamespace, configMap: 'mica-mig-config' },
      ...{ limits: defaultLimits, holders: new Map() },
    },
  );
const minuteMs = 60_000;
/** On a Monday in September 2026, 14:13 UTC. */
const inTwentyMinutes = { days: [], start: '14:34', durationMinutes: 60, timeZone: 'UTC' } as const;

const scenarios: readonly Scenario[] = [
  {
    name: 'serves',
    world: { nodes: { 'gpu-1': [ones] }, policies: { inference: {} } },
    story: async (world) => {
      world.controllers.run({ app: 'chat', slice: '2g.20gb', replicas: 2 });
      await world.settle(20);
    },
    check: (world) => {
      expect(begun(world)).toEqual(['gpu-1']);
      expect(world.runningOn('gpu-1')).toEqual(['chat-1', 'chat-2']);
      expect(world.policies.condition('inference', 'Satisfied')).toBe('True NobodyWaits');
    },
  },
  {
    name: 'recommends',
    world: { nodes: { 'gpu-1': [ones] }, policies: { inference: { mode: 'Recommend' } } },
    story: async (world) => {
      world.controllers.run({ app: 'chat', slice: '2g.20gb' });
      await world.run(30);
    },
    check: (world) => {
      expect(begun(world)).toEqual([]);
      expect(world.policies.condition('inference', 'Progressing')).toBe('False Recommends');
      expect(world.policies.status('inference')?.recommendation?.nodes).toHaveLength(1);
    },
  },
  {
    name: 'waits-for-window',
    world: { nodes: { 'gpu-1': [ones] }, policies: { nightly: { maintenanceWindows: [inTwentyMinutes] } } },
    story: async (world) => {
      world.controllers.run({ app: 'chat', slice: '2g.20gb' });
      await world.run(15);
      expect(world.policies.condition('nightly', 'Progressing')).toBe('False WaitsForWindow');
      await world.settle(20);
    },
    check: (world) => {
      const [first] = world.laws.begun;
      // Of the minute at which it opens.
      expect(new Date(first?.atMs ?? 0).toISOString()).toMatch(/T14:34:0/);
      expect(world.runningOn('gpu-1')).toEqual(['chat-1']);
    },
  },
  {
    name: 'cools-down',
    world: { nodes: { 'gpu-1': [ones] }, policies: { inference: { cooldownMs: 30 * minuteMs } } },
    story: async (world) => {
      world.controllers.run({ app: 'chat', slice: '2g.20gb' });
      await world.settle(10);
      world.controllers.scale('chat', 0);
      world.controllers.run({ app: 'train', slice: '3g.40gb' });
      await world.run(10);
      expect(world.policies.condition('inference', 'Progressing')).toBe('False CoolsDown');
      await world.settle(40);
    },
    check: (world) => {
      const [first, second] = world.laws.begun;
      expect(begun(world)).toEqual(['gpu-1', 'gpu-1']);
      expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(30 * minuteMs);
      expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeLessThan(33.5 * minuteMs);
      expect(world.runningOn('gpu-1')).toEqual(['train-1']);
    },
  },
  {
    name: 'one-at-a-time',
    world: { nodes: { 'gpu-1': [ones], 'gpu-2': [ones], 'gpu-3': [ones] }, policies: { inference: {} } },
    story: async (world) => {
      world.controllers.run({ app: 'train', slice: '4g.40gb', replicas: 3 });
      await world.settle(30);
    },
    check: (world) => {
      expect([...begun(world)].sort()).toEqual(['gpu-1', 'gpu-2', 'gpu-3']);
      expect(world.cluster.mostAway).toBe(1);
      expect(world.waiting()).toEqual([]);
    },
  },
  {
    name: 'two-at-a-time',
    world: {
      nodes: { 'gpu-1': [ones], 'gpu-2': [ones], 'gpu-3': [ones] },
      policies: { inference: { maxUnavailable: 2 } },
    },
    story: async (world) => {
      world.controllers.run({ app: 'train', slice: '4g.40gb', replicas: 3 });
      await world.settle(30);
    },
    check: (world) => {
      expect([...begun(world)].sort()).toEqual(['gpu-1', 'gpu-2', 'gpu-3']);
      expect(world.cluster.mostAway).toBe(2);
      expect(world.waiting()).toEqual([]);
    },
  },
  {
    name: 'never-evicts',
    world: { nodes: { 'gpu-1': [ones], 'gpu-2': [ones] }, policies: { inference: {} } },
    story: async (world) => {
      world.controllers.run({ app: 'embed', slice: '1g.10gb', replicas: 8 });
      await world.run(1);
      world.controllers.run({ app: 'train', slice: '3g.40gb' });
      await world.run(20);
      expect(begun(world)).toEqual([]);
      expect(world.policies.condition('inference', 'Progressing')).toBe('False NothingHelps');
      world.controllers.scale('embed', 7);
      await world.settle(20);
    },
    check: (world) => {
      expect(begun(world)).toHaveLength(1);
      expect(world.laws.evicted).toEqual([]);
      expect(world.waiting()).toEqual([]);
    },
  },
  {
    name: 'evicts-where-allowed',
    world: {
      nodes: { 'gpu-1': [ones], 'gpu-2': [{ '1g.10gb': 3, '3g.40gb': 1 }] },
      policies: { inference: { evictions: 'Allowed' } },
    },
    story: async (world) => {
      world.controllers.run({ app: 'embed', slice: '1g.10gb', replicas: 2 });
      world.controllers.run({ app: 'train', slice: '3g.40gb' });
      await world.run(1);
      world.controllers.run({ app: 'big', slice: '4g.40gb' });
      await world.settle(30);
    },
    check: (world) => {
      expect(world.waiting()).toEqual([]);
      expect(world.laws.evicted.length).toBeGreaterThan(0);
      expect(world.laws.evicted.every((name) => !name.startsWith('big'))).toBe(true);
      expect(world.policies.condition('inference', 'Satisfied')).toBe('True NobodyWaits');
    },
  },
  {
    name: 'budget-is-kept',
    world: { nodes: { 'gpu-1': [ones] }, policies: { inference: { evictions: 'Allowed' } } },
    story: async (world) => {
      world.cluster.budgets.push({ name: 'embed', app: 'embed', minAvailable: 1 });
      world.controllers.run({ app: 'embed', slice: '1g.10gb' });
      await world.run(1);
      world.controllers.run({ app: 'train', slice: '4g.40gb' });
      await world.run(100);
    },
    check: (world) => {
      expect(world.runningOn('gpu-1')).toEqual(['embed-1']);
      // Each time it rests for twice as long.
      expect(outcomes(world)).toEqual(Array.from({ length: 3 }, () => 'gpu-1 rolled-back'));
      expect(world.policies.status('inference')?.lastChange?.outcome).toBe('rolled-back');
      expect(world.cluster.node('gpu-1').isCordoned).toBe(false);
    },
  },
  {
    name: 'pod-in-the-last-moment',
    world: { nodes: { 'gpu-1': [ones] }, policies: { inference: {} } },
    story: async (world) => {
      const { cluster } = world;
      let isIn = false;
      cluster.fault = (call) => {
        if (isIn || !call.startsWith('patch node gpu-1: cordon')) return null;
        isIn = true;
        world.controllers.run({ app: 'quick', slice: '1g.10gb', runsMs: 4 * minuteMs });
        const quick = cluster.allPods().find(({ name }) => name === 'quick-1');
        if (quick !== undefined) world.scheduler.bind(quick, 'gpu-1');
        return null;
      };
      world.controllers.run({ app: 'train', slice: '3g.40gb' });
      await world.run(4);
      expect(outcomes(world)).toEqual(['gpu-1 rolled-back']);
      expect(world.runningOn('gpu-1')).toEqual(['quick-1']);
      await world.settle(30);
    },
    check: (world) => {
      expect(world.laws.evicted).toEqual([]);
      expect(outcomes(world)).toEqual(['gpu-1 rolled-back', 'gpu-1 done']);
      expect(world.runningOn('gpu-1')).toEqual(['train-1']);
    },
  },
  {
    name: 'mode-turned-in-the-middle',
    world: { nodes: { 'gpu-1': [ones], 'gpu-2': [ones] }, policies: { inference: {} } },
    story: async (world) => {
      world.controllers.run({ app: 'train', slice: '4g.40gb', replicas: 2 });
      await world.run(1);
      world.setPolicy('inference', { mode: 'Recommend' });
      await world.run(20);
    },
    check: (world) => {
      expect(begun(world)).toHaveLength(1);
      expect(outcomes(world)).toEqual([`${begun(world)[0] ?? ''} done`]);
      expect(world.waiting()).toHaveLength(1);
      expect(world.policies.condition('inference', 'Progressing')).toBe('False Recommends');
    },
  },
  {
    name: 'policy-deleted-in-the-middle',
    world: { nodes: { 'gpu-1': [ones] }, policies: { inference: {} } },
    story: async (world) => {
      world.controllers.run({ app: 'train', slice: '4g.40gb' });
      await world.run(1);
      world.setPolicy('inference', null);
      // Whoever leads next knows of no policy, and of the node.
      world.processes[0]?.kill();
      world.start('b');
      await world.settle(20);
    },
    check: (world) => {
      expect(outcomes(world)).toEqual(['gpu-1 done']);
      expect(world.runningOn('gpu-1')).toEqual(['train-1']);
    },
  },
  {
    name: 'invalid-policy',
    world: { nodes: { 'gpu-1': [ones] } },
    story: async (world) => {
      world.policies.put('odd', 'spec.maintenanceWindows[0].timeZone: nobody knows Europe/Atlantis');
      world.policies.put('pools', { backend: 'gke' });
      world.controllers.run({ app: 'train', slice: '4g.40gb' });
      await world.run(5);
    },
    check: (world) => {
      expect(begun(world)).toEqual([]);
      expect(world.policies.condition('odd', 'Ready')).toBe('False Invalid');
      expect(world.policies.condition('pools', 'Ready')).toBe('False Unsupported');
    },
  },
  {
    name: 'two-policies-one-node',
    world: {
      nodes: { 'gpu-1': [ones], 'gpu-2': [ones] },
      labels: { 'gpu-2': { team: 'b' } },
      policies: {
        all: { allowedProfiles: ['1g.10gb', '2g.20gb'] },
        'team-b': { nodeSelector: { team: 'b' } },
      },
    },
    story: async (world) => {
      world.controllers.run({ app: 'train', slice: '4g.40gb' });
      await world.run(10);
      expect(begun(world)).toEqual([]);
      expect(world.policies.condition('team-b', 'Ready')).toBe('False Conflict');
      world.setPolicy('all', null);
      await world.settle(20);
    },
    check: (world) => {
      expect(begun(world)).toEqual(['gpu-2']);
      expect(world.waiting()).toEqual([]);
    },
  },
  {
    name: 'node-stuck',
    world: {
      nodes: { 'gpu-1': [ones], 'gpu-2': [ones] },
      policies: { inference: { maxUnavailable: 2 } },
      traps: { 'gpu-1': { fails: () => true } },
    },
    story: async (world) => {
      world.controllers.run({ app: 'train', slice: '4g.40gb', replicas: 2 });
      await world.run(60);
    },
    check: (world) => {
      const { isCordoned, annotations } = world.cluster.node('gpu-1');
      expect(isCordoned).toBe(true);
      expect(annotations['mica.dev/reason']).toContain('failed');
      expect(world.policies.condition('inference', 'Degraded')).toBe('True NodesStuck');
      expect(world.policies.status('inference')?.stuckNodes).toBe(1);
      expect(world.runningOn('gpu-2')).toHaveLength(1);
      expect(begun(world)).toHaveLength(2);
    },
  },
  {
    name: 'stuck-node-counts',
    world: {
      nodes: { 'gpu-1': [ones], 'gpu-2': [ones] },
      policies: { inference: {} },
      traps: { 'gpu-1': { fails: () => true } },
    },
    story: async (world) => {
      world.controllers.run({ app: 'train', slice: '4g.40gb' });
      await world.run(20);
      expect(world.policies.condition('inference', 'Degraded')).toBe('True NodesStuck');
      expect(world.policies.condition('inference', 'Progressing')).toBe('False TooManyAway');
      // A person has mended it.
      world.cluster.editNode('gpu-1', { isCordoned: false, annotations: {} });
      await world.settle(20);
    },
    check: (world) => {
      expect(begun(world)).toEqual(['gpu-1', 'gpu-2']);
      expect(world.policies.condition('inference', 'Degraded')).toBe('False AsExpected');
      expect(world.waiting()).toEqual([]);
    },
  },
  {
    name: 'person-at-work',
    world: { nodes: { 'gpu-1': [ones], 'gpu-2': [ones] }, policies: { inference: {} } },
    story: async (world) => {
      const applied = aPersonCuts(world);
      world.controllers.run({ app: 'train', slice: '4g.40gb' });
      await world.run(1.5);
      expect(begun(world)).toEqual([]);
      expect(world.policies.condition('inference', 'Progressing')).toBe('True Cutting');
      expect(await applied).toMatchObject({ outcome: 'done' });
      await world.settle(20);
    },
    check: (world) => {
      expect(begun(world)).toEqual(['gpu-2']);
      expect(world.nodes.get('gpu-1')?.cut).toEqual(cutOfGpus([threes]));
      expect(world.cluster.mostAway).toBe(1);
    },
  },
  {
    // The controller does not see it yet when it decides.
    name: 'person-a-moment-before',
    world: { nodes: { 'gpu-1': [ones] }, policies: { inference: {} }, lagMs: 2_000 },
    story: async (world) => {
      world.controllers.run({ app: 'train', slice: '4g.40gb' });
      await world.clock.sleep(9_500);
      expect(await aPersonCuts(world)).toMatchObject({ outcome: 'done' });
      await world.run(5);
      // What a person did stands for the time that the policy says.
      expect(begun(world)).toEqual([]);
      expect(world.nodes.get('gpu-1')?.cut).toEqual(cutOfGpus([threes]));
      await world.settle(20);
    },
    check: (world) => {
      expect(begun(world)).toEqual(['gpu-1']);
      expect(world.runningOn('gpu-1')).toEqual(['train-1']);
    },
  },
  {
    // Whoever comes second waits for the first, and is not undone by it.
    name: 'person-a-moment-after',
    world: { nodes: { 'gpu-1': [ones] }, policies: { inference: {} }, lagMs: 2_000 },
    story: async (world) => {
      world.controllers.run({ app: 'train', slice: '4g.40gb' });
      await world.clock.sleep(10_500);
      expect(await aPersonCuts(world)).toMatchObject({ outcome: 'done' });
      await world.run(5);
      // What a person did stands for the time that the policy says.
      expect(begun(world)).toEqual(['gpu-1']);
      expect(world.nodes.get('gpu-1')?.cut).toEqual(cutOfGpus([threes]));
      await world.settle(20);
    },
    check: (world) => {
      expect(begun(world)).toEqual(['gpu-1', 'gpu-1']);
      expect(world.runningOn('gpu-1')).toEqual(['train-1']);
    },
  },
  {
    name: 'planner-fails',
    world: { nodes: { 'gpu-1': [ones] }, policies: { inference: {} } },
    story: async (world) => {
      world.planFault = 'the solver stopped';
      world.controllers.run({ app: 'train', slice: '4g.40gb' });
      for (let times = 0; times < 300; times += 1) {
        world.cluster.editNode('gpu-1', { annotations: { beat: String(times) } });
        await world.clock.sleep(1_000);
      }
      const { processes } = world;
      expect(processes[0]?.count('trouble')).toBe(1);
      expect(processes[0]?.count('planned')).toBe(0);
      expect(world.planned).toBeLessThan(32);
      world.planFault = null;
      await world.settle(20);
    },
    check: (world) => {
      expect(world.runningOn('gpu-1')).toEqual(['train-1']);
    },
  },
  {
    name: 'can-never-be-served',
    world: { nodes: { 'gpu-1': [ones], 'gpu-2': [ones] }, policies: { inference: {} } },
    story: async (world) => {
      world.controllers.run({ app: 'dream', slice: '5g.50gb' });
      world.controllers.run({ app: 'train', slice: '4g.40gb' });
      await world.run(30);
    },
    check: (world) => {
      expect(world.waiting()).toEqual(['dream-1']);
      expect(begun(world)).toHaveLength(1);
    },
  },
  {
    name: 'told-to-end',
    world: { nodes: { 'gpu-1': [ones] }, policies: { inference: {} } },
    story: async (world) => {
      world.controllers.run({ app: 'train', slice: '4g.40gb' });
      await world.run(1);
      await world.processes[0]?.stop();
      expect(world.lease.holder).toBe('');
      expect(world.cluster.node('gpu-1').annotations['mica.dev/change']).toContain('clearing');
      await world.run(5);
      world.start('b');
      await world.settle(20);
    },
    check: (world) => {
      expect(outcomes(world)).toEqual(['gpu-1 done']);
      expect(begun(world)).toEqual(['gpu-1']);
      expect(world.runningOn('gpu-1')).toEqual(['train-1']);
    },
  },
];

describe('a controller in a cluster', () => {
  it.each(scenarios)('$name', async ({ name, world: said, story, check }) => {
    const world = new ControllerWorld(solve, said);
    try {
      world.start();
      await world.run(0.5);
      await story(world);
      const ended = [
        ...[...world.cluster.nodes.values()].map(
          (node) =>
            `${node.name}:${node.isCordoned ? ' cordoned,' : ''} ${JSON.stringify(node.allocatable)}, ` +
            `running ${world.runningOn(node.name).join(', ') || 'nothing'}`,
        ),
        `waiting: ${world.waiting().join(', ') || 'nobody'}`,
        ...world.policies.all.map(
          ({ policy, status }) => `${policy.name}: ${JSON.stringify(status, null, 1)}`,
        ),
      ];
      await world.stop();
      compare(`controller-${name}.txt`, [...world.cluster.log, '', ...ended].join('\n'));
      expect(world.cluster.broken).toEqual([]);
      check(world);
      expectNothingLeft(world);
    } finally {
      world.halt();
    }
  });
});

/** Processes that ended hold on to nothing. */
function expectNothingLeft(world: ControllerWorld): void {
  if (world.processes.some(({ isDead, hasEnded }) => isDead && !hasEnded)) return;
  const { shown, policies, lease } = world;
  expect({ holder: lease.holder, views: shown.open, watches: policies.open }).toEqual({
    ...{ holder: '', views: 0, watches: 0 },
  });
  expect([shown.waiting, policies.waiting]).toEqual([0, 0]);
}

function compare(name: string, text: string): void {
  const path = new URL(`../golden/cluster/${name}`, import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, `${text}\n`);
  expect(`${text}\n`).toBe(readFileSync(path, 'utf8'));
}
