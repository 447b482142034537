/** What the controller decides about made clusters, with the real planner. */
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import { defaultPrices } from '#core/cost/default-prices';
import type { Solve } from '#core/packing/linear-program';
import { gpuNode, pending, running } from '../../../../test/support/planned-cluster.js';
import type { ClusterNode, ClusterPod } from '../objects.js';
import { planCluster } from '../planning/plan-cluster.js';
import { decide, type Round } from './decide.js';
import type { MigPolicy, MigPolicySpec, PolicyCondition } from './mig-policy.js';
import type { Scene } from './scene.js';

let solve: Solve;
beforeAll(async () => {
  ({ solve } = await loadSolver());
});

const nowMs = Date.parse('2026-11-23T12:00:00Z');

function policy(spec: Partial<MigPolicySpec> = {}, name = 'p'): MigPolicy {
  return {
    ...{ name, uid: `uid-${name}`, generation: 3, createdMs: 1 },
    spec: {
      ...{
        nodeSelector: {},
        backend: 'gpu-operator',
        mode: 'Auto',
        allowedProfiles: null,
        maxUnavailable: 1,
      },
      ...{ evictions: 'Never', pendingMs: 10_000, cooldownMs: 600_000, maintenanceWindows: [] },
      ...spec,
    },
  };
}

/** The scheduler said long ago that there is no node for it. */
function waiting(name: string, profile: string, sinceMs = nowMs - 60_000): ClusterPod {
  return { ...pending(name, profile), unschedulable: { message: 'Insufficient', sinceMs } };
}

function round(
  nodes: readonly ClusterNode[],
  pods: readonly ClusterPod[],
  policies: readonly MigPolicy[] = [policy()],
  more: Partial<Scene> = {},
): Round {
  return decide({
    nowMs,
    state: { nodes, pods, dra: null },
    policies: policies.map((one) => ({ ok: true, policy: one, status: null })),
    refusals: new Map(),
    running: new Set(),
    plan: (state, options) => planCluster(state, { prices: defaultPrices, solve, ...options }),
    isRehearsal: false,
    ...more,
  });
}

function conditions(of: Round, name = 'p'): Readonly<Record<string, PolicyCondition>> {
  return Object.fromEntries((of.statuses.get(name)?.conditions ?? []).map((one) => [one.type, one]));
}

const begun = ({ begin }: Round): readonly string[] => begin.map(({ node }) => node);
const recorded = (node: ClusterNode, text: string, key = 'mica.dev/last-change'): ClusterNode => ({
  ...node,
  annotations: { ...node.annotations, [key]: text },
});

describe('a round of the controller', () => {
  it('has nothing to do where nobody waits', () => {
    const quiet = round([gpuNode('a', { '1g.24gb': 4 })], [running('x', 'a', '1g.24gb')]);
    expect(quiet).toMatchObject({ begin: [], verdicts: [], wakeMs: Infinity });
    expect(quiet.statuses.get('p')).toMatchObject({ observedGeneration: 3, nodes: 1, waitingPods: 0 });
    expect(conditions(quiet)).toMatchObject({
      Ready: { status: 'True', reason: 'Followed' },
      Satisfied: { status: 'True', reason: 'NobodyWaits' },
      Progressing: { status: 'False', reason: 'Idle' },
      Degraded: { status: 'False' },
    });
  });

  it('cuts an idle node for a pod that waits', () => {
    const one = round([gpuNode('a', { '1g.24gb': 4 })], [waiting('y', '2g.48gb')]);
    expect(one.begin).toMatchObject([{ node: 'a', policy: 'p', mayEvict: false, isResumed: false }]);
    expect([...(one.begin[0]?.cut ?? [])]).toEqual([
      [0, { mig: true, counts: expect.objectContaining({ '2g.48gb': expect.any(Number) }) }],
    ]);
    expect(one.begin[0]?.pods.map(({ name }) => name)).toEqual([waiting('y', '2g.48gb').name]);
    expect(conditions(one)).toMatchObject({
      Satisfied: { status: 'False', reason: 'PodsWait', message: expect.stringContaining('mig-2g.48gb') },
      Progressing: { status: 'True', reason: 'Cutting', message: 'Being cut: a.' },
    });
    expect(one.statuses.get('p')?.recommendation).toMatchObject({
      nodes: [{ node: 'a', before: '4 x 1g.24gb' }],
      movedPods: 0,
    });
  });

  it('only says so under Recommend, and in a rehearsal', () => {
    const nodes = [gpuNode('a', { '1g.24gb': 4 })];
    const pods = [waiting('y', '2g.48gb')];
    for (const one of [
      round(nodes, pods, [policy({ mode: 'Recommend' })]),
      round(nodes, pods, [policy()], { isRehearsal: true }),
    ]) {
      expect(one.begin).toEqual([]);
      expect(conditions(one)['Progressing']).toMatchObject({ reason: 'Recommends' });
      expect(one.statuses.get('p')?.recommendation?.nodes).toMatchObject([{ node: 'a' }]);
    }
  });

  it('waits until a pod has waited', () => {
    const one = round([gpuNode('a', { '1g.24gb': 4 })], [waiting('y', '2g.48gb', nowMs - 4_000)]);
    expect(one).toMatchObject({ begin: [], wakeMs: nowMs + 6_000 });
    expect(conditions(one)['Progressing']).toMatchObject({ reason: 'WaitsForPods' });
  });

  it('does nothing for a pod that the scheduler has not looked at', () => {
    const one = round([gpuNode('a', { '1g.24gb': 4 })], [pending('y', '2g.48gb')]);
    expect(one.begin).toEqual([]);
  });

  it('evicts nobody under Never, and says why nothing helps', () => {
    const nodes = [gpuNode('a', { '1g.24gb': 4 })];
    const pods = [running('x', 'a', '1g.24gb'), waiting('y', '2g.48gb')];
    const never = round(nodes, pods);
    expect(never.begin).toEqual([]);
    expect(conditions(never)['Progressing']).toMatchObject({
      reason: 'NothingHelps',
      message: expect.stringContaining('lets nobody be evicted'),
    });
    const allowed = round(nodes, pods, [policy({ evictions: 'Allowed' })]);
    expect(allowed.begin).toMatchObject([{ node: 'a', mayEvict: true }]);
    expect(allowed.statuses.get('p')?.recommendation).toMatchObject({ movedPods: 1 });
  });

  it('leaves a node alone that was cut not long ago, and takes another', () => {
    const hot = recorded(
      gpuNode('a', { '1g.24gb': 4 }),
      JSON.stringify({ outcome: 'done', config: 'c', startedMs: 1, endedMs: nowMs - 60_000 }),
    );
    const alone = round([hot], [waiting('y', '2g.48gb')]);
    expect(alone).toMatchObject({ begin: [], wakeMs: nowMs + 540_000 });
    expect(conditions(alone)['Progressing']).toMatchObject({
      reason: 'CoolsDown',
      message: expect.stringContaining('2026-11-23 12:09 UTC'),
    });
    expect(alone.statuses.get('p')).toMatchObject({
      waitingPods: 1,
      lastChange: { node: 'a', outcome: 'done' },
    });
    const both = round([hot, gpuNode('b', { '1g.24gb': 4 })], [waiting('y', '2g.48gb')]);
    expect(begun(both)).toEqual(['b']);
    const later = round([hot], [waiting('y', '2g.48gb')], [policy()], { nowMs: nowMs + 540_000 });
    expect(begun(later)).toEqual(['a']);
  });

  it('rests after a failure, whatever the policy says', () => {
    const burnt = recorded(
      gpuNode('a', { '1g.24gb': 4 }),
      JSON.stringify({
        outcome: 'rolled-back',
        config: 'c',
        startedMs: 1,
        endedMs: nowMs - 60_000,
        why: 'in use',
      }),
    );
    const one = round([burnt], [waiting('y', '2g.48gb')], [policy({ cooldownMs: 0 })]);
    expect(one).toMatchObject({ begin: [], wakeMs: nowMs + 240_000 });
    expect(one.statuses.get('p')?.lastChange).toMatchObject({ message: 'c: in use' });
  });

  it('begins nothing outside of its windows', () => {
    const maintenanceWindows = [{ days: [], start: '13:00', durationMinutes: 30, timeZone: 'UTC' }];
    const nodes = [gpuNode('a', { '1g.24gb': 4 })];
    const shut = round(nodes, [waiting('y', '2g.48gb')], [policy({ maintenanceWindows })]);
    expect(shut).toMatchObject({ begin: [], wakeMs: nowMs + 3_600_000 });
    expect(conditions(shut)['Progressing']).toMatchObject({
      reason: 'WaitsForWindow',
      message: expect.stringContaining('2026-11-23 13:00 UTC'),
    });
    const open = round(nodes, [waiting('y', '2g.48gb')], [policy({ maintenanceWindows })], {
      nowMs: nowMs + 3_600_000,
    });
    expect(open.begin).toMatchObject([{ node: 'a', deadlineMs: nowMs + 5_400_000 }]);
  });

  it('takes no more nodes out of service than it may, those counted that others took', () => {
    const nodes = ['a', 'b', 'c'].map((name) => gpuNode(name, { '1g.24gb': 4 }));
    const pods = ['x', 'y', 'z'].map((name) => waiting(name, '4g.96gb'));
    expect(begun(round(nodes, pods, [policy({ maxUnavailable: 2 })]))).toEqual(['a', 'b']);
    const down = [...nodes, { ...gpuNode('d', { '1g.24gb': 4 }), isCordoned: true }];
    expect(begun(round(down, pods, [policy({ maxUnavailable: 2 })]))).toEqual(['a']);
    const full = round(down, pods);
    expect(full.begin).toEqual([]);
    expect(conditions(full)['Progressing']).toMatchObject({
      reason: 'TooManyAway',
      message: expect.stringContaining('these are: d'),
    });
  });

  it('cuts into nothing but what is allowed', () => {
    const one = round(
      [gpuNode('a', { '1g.24gb': 4 })],
      [waiting('y', '2g.48gb')],
      [policy({ allowedProfiles: ['1g.24gb', '4g.96gb'] })],
    );
    expect(one.begin).toEqual([]);
    const other = round(
      [gpuNode('a', { '1g.24gb': 4 })],
      [waiting('y', '4g.96gb')],
      [policy({ allowedProfiles: ['1g.24gb', '4g.96gb'] })],
    );
    expect(begun(other)).toEqual(['a']);
  });

  it('gives a node to the policy that was there first', () => {
    const nodes = [gpuNode('a', { '1g.24gb': 4 }, { labels: { team: 'x' } }), gpuNode('b', { '1g.24gb': 4 })];
    const first = policy({ nodeSelector: { team: 'x' }, mode: 'Recommend' }, 'first');
    const second = { ...policy({}, 'second'), createdMs: 2 };
    const one = round(nodes, [waiting('y', '2g.48gb')], [second, first]);
    expect(one.begin).toMatchObject([{ node: 'b', policy: 'second' }]);
    expect(one.statuses.get('second')).toMatchObject({ nodes: 1 });
    expect(conditions(one, 'second')['Ready']).toMatchObject({
      message: expect.stringContaining('(a to first)'),
    });
    expect(one.statuses.get('first')).toMatchObject({ waitingPods: 0, recommendation: null });
    const none = round(
      nodes,
      [],
      [first, { ...policy({ nodeSelector: { team: 'x' } }, 'late'), createdMs: 5 }],
    );
    expect(conditions(none, 'late')['Ready']).toMatchObject({ status: 'False', reason: 'Conflict' });
  });

  it('says what it cannot follow', () => {
    const gke = round([gpuNode('a', { '1g.24gb': 4 })], [], [policy({ backend: 'gke' })]);
    expect(conditions(gke)['Ready']).toMatchObject({ status: 'False', reason: 'Unsupported' });
    const nobody = round([gpuNode('a', { '1g.24gb': 4 })], [], [policy({ nodeSelector: { no: 'one' } })]);
    expect(conditions(nobody)['Ready']).toMatchObject({ status: 'False', reason: 'NoNodes' });
    const odd = { ok: false, policy: policy(), why: 'start: 25:00 is no time', status: null } as const;
    const bad = round([gpuNode('a', { '1g.24gb': 4 })], [waiting('y', '2g.48gb')], [], { policies: [odd] });
    expect(bad.begin).toEqual([]);
    expect(conditions(bad)['Ready']).toMatchObject({ reason: 'Invalid', message: 'start: 25:00 is no time' });
  });

  it('recommends pools on GKE, and never tells to set what GKE refuses', () => {
    const nodes = ['a', 'b'].map((name) =>
      gpuNode(name, { '1g.24gb': 4 }, { gke: { size: '1g.24gb', pool: 'small' } }),
    );
    const wish = {
      ...pending('y', null),
      nodeSelector: { 'cloud.google.com/gke-gpu-partition-size': '2g.48gb' },
    };
    const pod = { ...wish, unschedulable: { message: 'Insufficient', sinceMs: nowMs - 60_000 } };
    const one = round(nodes, [pod], [policy({ backend: 'gke', mode: 'Recommend' })]);
    expect(one.begin).toEqual([]);
    const status = one.statuses.get('p');
    expect(status).toMatchObject({ nodes: 2, waitingPods: 1 });
    expect(status?.recommendation?.summary).toContain('small from 2 to 1 nodes');
    expect(conditions(one)).toMatchObject({
      Satisfied: { status: 'False', reason: 'PodsWait' },
      Progressing: { reason: 'Recommends', message: expect.stringContaining('mica cluster pool') },
    });
    expect(conditions(one)['Progressing']?.message).not.toContain('mode: Auto');
  });

  it('lets rest what refused', () => {
    const refusals = new Map([
      ['a', { kind: 'refused' as const, untilMs: nowMs + 5_000, why: 'it said no' }],
    ]);
    const one = round([gpuNode('a', { '1g.24gb': 4 })], [waiting('y', '2g.48gb')], [policy()], { refusals });
    expect(one).toMatchObject({ begin: [], wakeMs: nowMs + 5_000 });
    expect(conditions(one)['Progressing']).toMatchObject({ reason: 'Refused', message: 'a: it said no.' });
  });
});

describe('a change that is under way', () => {
  const [record] = round([gpuNode('a', { '1g.24gb': 4 })], []).begin;

  it('is none yet', () => expect(record).toBeUndefined());

  const change = (by: string | undefined, phase: string): string =>
    JSON.stringify({
      ...{ version: 1, ...(by !== undefined && { by }), phase },
      goal: {
        config: 'mica-x',
        entries: [{ devices: [0], 'mig-enabled': true, 'mig-devices': { '2g.48gb': 2 } }],
        expected: { counts: { 'nvidia.com/mig-2g.48gb': 2 }, exact: true, single: null },
      },
      reach: { gpus: [0], wholeNode: false, mayReboot: false },
      ...{ labelBefore: null, previous: null, cordonedByUs: true, startedMs: nowMs, sinceMs: nowMs },
      ...{
        configMs: null,
        remedies: [],
        why: phase === 'stuck' ? { kind: 'failed', message: 'in use', next: 'look' } : null,
      },
    });
  const changing = (by: string | undefined, phase = 'cutting'): ClusterNode => ({
    ...recorded(gpuNode('a', { '1g.24gb': 4 }), change(by, phase), 'mica.dev/change'),
    isCordoned: true,
  });
  const spare = gpuNode('b', { '1g.24gb': 4 });

  it('is waited for: nothing is cut a second time for the same pod', () => {
    const one = round(
      [changing('somebody'), spare],
      [waiting('y', '2g.48gb')],
      [policy({ maxUnavailable: 5 })],
    );
    expect(one.begin).toEqual([]);
    expect(one.statuses.get('p')).toMatchObject({ waitingPods: 1 });
    expect(conditions(one)['Progressing']).toMatchObject({ status: 'True', message: 'Being cut: a.' });
  });

  it('does not serve a third pod', () => {
    const pods = ['x', 'y', 'z'].map((name) => waiting(name, '2g.48gb'));
    expect(begun(round([changing('somebody'), spare], pods, [policy({ maxUnavailable: 5 })]))).toEqual(['b']);
    expect(begun(round([changing('somebody'), spare], pods))).toEqual([]);
  });

  it('is gone on with where an earlier leader left it, and only then', () => {
    expect(round([changing('mica-controller')], []).begin).toMatchObject([{ node: 'a', isResumed: true }]);
    expect(round([changing('mica-controller')], [], [policy()], { running: new Set(['a']) }).begin).toEqual(
      [],
    );
    expect(round([changing(undefined)], []).begin).toEqual([]);
    expect(round([changing('mica-controller')], [], [policy()], { isRehearsal: true }).begin).toEqual([]);
  });

  it('that somebody left half-way is told after a while', () => {
    const soon = round([changing(undefined)], [], [policy()], { nowMs: nowMs + 3_600_000 });
    expect(soon.statuses.get('p')).toMatchObject({ stuckNodes: 0 });
    const late = round([changing(undefined)], [], [policy()], { nowMs: nowMs + 4 * 3_600_000 });
    expect(late.begin).toEqual([]);
    const message = expect.stringContaining(
      'a: somebody began to change it, and left it at 2026-11-23 12:00 UTC',
    );
    expect(conditions(late)['Degraded']).toMatchObject({ status: 'True', message });
  });

  it('that got stuck is told, and its node left alone', () => {
    const one = round([changing('mica-controller', 'stuck')], [waiting('y', '2g.48gb')]);
    expect(one.begin).toEqual([]);
    expect(one.statuses.get('p')).toMatchObject({ stuckNodes: 1 });
    expect(conditions(one)['Degraded']).toMatchObject({
      status: 'True',
      message: expect.stringContaining('a: in use'),
    });
  });
});
