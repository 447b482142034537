import { describe, expect, it } from 'vitest';
import { aNode, aPod } from '../../../../test/support/cluster-objects.js';
import type { ClusterNode } from '../objects.js';
import { judgeNode, type JudgeInput } from './judge-node.js';
import { entriesFor, type GpuCut, type NodeCut } from './mig-config.js';
import { annotations, readRecord, writeRecord } from './record.js';

const now: NodeCut = new Map<number, GpuCut>([
  [0, { mig: true, counts: { '1g.10gb': 7 } }],
  [1, { mig: false }],
]);
const labels = {
  'nvidia.com/gpu.count': '2',
  'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3',
  'nvidia.com/gpu.deploy.mig-manager': 'true',
  'nvidia.com/mig.config': 'now',
  'nvidia.com/mig.config.state': 'success',
  'nvidia.com/mig.strategy': 'mixed',
};
const capacity = { 'nvidia.com/mig-1g.10gb': 7, 'nvidia.com/gpu': 1 };
const cut = (index: number, counts: Readonly<Record<string, number>> | null): NodeCut =>
  new Map<number, GpuCut>([[index, counts === null ? { mig: false } : { mig: true, counts }]]);

const manager = aPod({
  name: 'mig-manager',
  namespace: 'gpu-operator',
  node: 'n',
  labels: { app: 'nvidia-mig-manager' },
});

function judge(wanted: NodeCut, node: Partial<ClusterNode> = {}, more: Partial<JudgeInput> = {}) {
  return judgeNode({
    node: aNode({ name: 'n', labels, capacity, ...node }),
    pods: [manager],
    wanted,
    entriesOf: (config) => (config === 'now' ? entriesFor(now) : null),
    entrySince: () => null,
    holders: new Map(),
    operatorNamespace: 'gpu-operator',
    mayEndBare: false,
    mayReboot: true,
    shorten: (name) => name,
    nowMs: 0,
    ...more,
  });
}

function refusal(...of: Parameters<typeof judge>): string {
  const judged = judge(...of);
  return judged.kind === 'refused' ? judged.why.kind : judged.kind;
}

describe('judging a node', () => {
  it('refuses where pods are in the way and nobody may be evicted', () => {
    const controller = { kind: 'ReplicaSet', name: 'r', uid: 'r' };
    const trainer = aPod({ name: 't', node: 'n', wants: { 'nvidia.com/mig-1g.10gb': 1 }, controller });
    const web = aPod({ name: 'w', node: 'n', controller });
    const never = { mayEvict: false } as const;
    const own = { ...never, pods: [manager, trainer] };
    expect(refusal(cut(0, { '3g.40gb': 2 }), {}, own)).toBe('pods-in-way');
    expect(judge(cut(0, { '3g.40gb': 2 }), {}, { ...never, pods: [manager] })).toMatchObject({
      record: { mayEvict: false },
    });
    // MIG is switched on GPU 1: a reboot would end what has no GPU, too.
    const switching = judge(cut(1, { '3g.40gb': 2 }), {}, { ...never, pods: [manager, web] });
    expect(switching).toMatchObject({
      why: { kind: 'pods-in-way', message: expect.stringContaining('--no-reboot') },
    });
    const still = { ...never, pods: [manager, web], mayReboot: false };
    expect(judge(cut(1, { '3g.40gb': 2 }), {}, still).kind).toBe('change');
  });

  it('leaves alone what is as wanted, and carries GPUs that are not named over', () => {
    expect(judge(cut(0, { '1g.10gb': 7 })).kind).toBe('unchanged');
    const judged = judge(cut(0, { '3g.40gb': 2 }));
    expect(judged).toMatchObject({
      kind: 'change',
      record: {
        goal: {
          config: 'mica-0-2x3g.40gb_1-off',
          expected: { counts: { 'nvidia.com/mig-3g.40gb': 2, 'nvidia.com/gpu': 1 }, exact: true },
        },
        reach: { gpus: [0], wholeNode: false, mayReboot: false },
        previous: { config: 'now' },
        cordonedByUs: true,
      },
    });
  });

  it('counts the whole node where MIG is switched, or where the node does not show what it should', () => {
    expect(judge(cut(1, { '3g.40gb': 2 }))).toMatchObject({
      record: { reach: { wholeNode: true, mayReboot: true } },
    });
    const stale = { capacity, allocatable: { 'nvidia.com/mig-1g.10gb': 0 } };
    expect(judge(cut(0, { '3g.40gb': 2 }), stale)).toMatchObject({
      record: { reach: { wholeNode: true }, previous: null },
    });
    expect(judge(cut(0, { '1g.10gb': 7 }), stale)).toMatchObject({ kind: 'change' });
  });

  it('refuses what cannot be, before anything is touched', () => {
    expect(refusal(cut(0, { '7g.80gb': 1, '1g.10gb': 1 }))).toBe('no-room');
    expect(refusal(cut(0, { '9g.99gb': 1 }))).toBe('unknown-profile');
    expect(refusal(cut(2, null))).toBe('unknown-gpu');
    expect(refusal(cut(0, { '3g.40gb': 2 }), {}, { models: new Map([[0, 'a30']]) })).toBe('other-card');
    expect(refusal(cut(0, { '3g.40gb': 2 }), { isReady: false })).toBe('not-ready');
    expect(refusal(cut(0, null), { labels: {} })).toBe('not-this-backend');
    const stopped = { ...labels, 'nvidia.com/gpu.deploy.mig-manager': 'false' };
    expect(refusal(cut(0, null), { labels: stopped })).toBe('no-manager');
    expect(refusal(cut(0, null), {}, { operatorNamespace: 'elsewhere' })).toBe('no-manager');
    const busy = { ...labels, 'nvidia.com/mig.config.state': 'pending' };
    expect(refusal(cut(0, null), { labels: busy })).toBe('at-work');
    expect(refusal(cut(0, { '3g.40gb': 2 }), { annotations: { [annotations.change]: '{' } })).toBe(
      'unreadable-record',
    );
  });

  it('refuses what the strategy cannot offer', () => {
    const single = { ...labels, 'nvidia.com/mig.strategy': 'single' };
    expect(refusal(cut(0, { '3g.40gb': 2 }), { labels: single })).toBe('strategy');
    const none = { ...labels, 'nvidia.com/mig.strategy': 'none' };
    expect(refusal(cut(0, { '3g.40gb': 2 }), { labels: none })).toBe('strategy');
  });

  it('ends no pod that nobody would make again, unless that is allowed', () => {
    const pods = [manager, aPod({ name: 'bare', node: 'n', wants: { 'nvidia.com/mig-1g.10gb': 1 } })];
    expect(refusal(cut(0, { '3g.40gb': 2 }), {}, { pods })).toBe('bare-pods');
    expect(refusal(cut(0, { '3g.40gb': 2 }), {}, { pods, mayEndBare: true })).toBe('change');
  });

  it('takes over what an earlier change left behind, with the state that was known to be good', () => {
    const first = judge(cut(0, { '3g.40gb': 2 }));
    if (first.kind !== 'change') throw new Error(first.kind);
    const stuck = writeRecord({ ...first.record, phase: 'stuck' });
    const left = {
      labels: {
        ...labels,
        'nvidia.com/mig.config': first.record.goal.config,
        'nvidia.com/mig.config.state': 'failed',
      },
      annotations: { [annotations.change]: stuck },
      isCordoned: true,
    };
    expect(readRecord(left.annotations)).toMatchObject({ phase: 'stuck' });
    expect(judge(cut(0, { '2g.20gb': 3 }), left)).toMatchObject({
      record: { previous: { config: 'now' }, cordonedByUs: true, reach: { wholeNode: true } },
    });
  });
});
