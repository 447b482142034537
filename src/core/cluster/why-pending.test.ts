import { expect, it } from 'vitest';
import { aNode, aPod } from '../../../test/support/cluster-objects.js';
import { gkeG4, mixedH100 } from '../../../test/support/node-labels.js';
import { gpuNodeOf, type GpuNode } from './gpu-node.js';
import type { ClusterNode, ClusterPod } from './objects.js';
import { whyPending } from './why-pending.js';

const small = 'nvidia.com/mig-1g.10gb';
const large = 'nvidia.com/mig-2g.20gb';

function gpu(
  name: string,
  capacity: Record<string, number>,
  used = {},
  said: Partial<ClusterNode> = {},
): GpuNode {
  const node = aNode({ name, labels: mixedH100, capacity, ...said });
  return gpuNodeOf(node, [aPod({ name: `on-${name}`, node: name, wants: used })])!;
}

function why(wants: Record<string, number>, nodes: readonly GpuNode[], said: Partial<ClusterPod> = {}) {
  return whyPending(aPod({ name: 'waits', wants, ...said }), nodes);
}

it('nobody offers it: what is free instead, and where', () => {
  expect(why({ [large]: 1 }, [gpu('a', { [small]: 2 }, { [small]: 1 }), gpu('b', { [small]: 2 })])).toEqual({
    kind: 'not-offered',
    message: `no node offers ${large}; free are 3 x 1g.10gb on 2 nodes`,
  });
});

it('all of it is in use', () => {
  expect(why({ [small]: 1 }, [gpu('a', { [small]: 2 }, { [small]: 2 })])).toEqual({
    kind: 'in-use',
    message: `2 of 2 ${small} are in use`,
  });
});

it('enough, but not on one node', () => {
  expect(why({ [small]: 2 }, [gpu('a', { [small]: 1 }), gpu('b', { [small]: 1 })])).toEqual({
    kind: 'spread',
    message: `wants 2 ${small} on one node: 2 are free on 2 nodes, at most 1 on each`,
  });
});

it('room where it may not go: cordoned, a taint, a selector', () => {
  const taints = [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }];
  const there = { [small]: 1 };
  const message = (said: Partial<ClusterNode>, pod: Partial<ClusterPod> = {}) =>
    why(there, [gpu('a', there, {}, said)], pod).message;
  expect(message({ isCordoned: true })).toBe(`a has 1 free ${small}, and is cordoned`);
  expect(message({ taints })).toBe(
    `a has 1 free ${small}, and the pod does not tolerate its taint nvidia.com/gpu=present:NoSchedule`,
  );
  expect(message({}, { nodeSelector: { zone: 'b' } })).toMatch(
    /the pod selects zone=b, where it has no such label/,
  );
  const tolerations = [{ key: 'nvidia.com/gpu', operator: 'Exists', value: '', effect: null } as const];
  expect(why(there, [gpu('a', there, {}, { taints })], { tolerations }).kind).toBe('other');
});

it('GKE has no resource per size: what to ask for', () => {
  const node = gpuNodeOf(aNode({ name: 'a', labels: gkeG4, capacity: { 'nvidia.com/gpu': 16 } }), [])!;
  expect(why({ 'nvidia.com/mig-1g.24gb': 1 }, [node]).message).toBe(
    'GKE offers slices as nvidia.com/gpu: ask for that, with the node selector cloud.google.com/gke-gpu-partition-size: 1g.24gb',
  );
});

it('its slices are there: what the scheduler says', () => {
  const unschedulable = { message: '0/1 nodes are available: 1 Insufficient cpu.', sinceMs: 0 };
  expect(why({ [small]: 1 }, [gpu('a', { [small]: 1 })], { unschedulable })).toEqual({
    kind: 'other',
    message: unschedulable.message,
  });
});

it('a claim: what DRA has free, or that nothing is', () => {
  const said = {
    claims: ['slice'],
    unschedulable: { message: '0/1 nodes are available: 1 cannot allocate all claims.', sinceMs: 0 },
  };
  const dra = (taken: boolean): GpuNode => {
    const attributes = { type: 'mig', profile: '1g.24gb' };
    const device = {
      driver: 'gpu.nvidia.com',
      pool: 'a',
      device: 'gpu-0-mig-0',
      node: 'a',
      attributes,
      taken,
    };
    return gpuNodeOf(aNode({ name: 'a' }), [], [device])!;
  };
  expect(why({}, [dra(false)], said)).toEqual({
    kind: 'not-offered',
    message: 'nothing that DRA has free serves its claim slice; free are 1 x 1g.24gb on 1 node',
  });
  expect(why({}, [dra(true)], said).kind).toBe('in-use');
  expect(why({}, [], said).message).toContain('no node offers GPUs or slices by DRA');
  expect(why({}, [dra(false)], { claims: ['slice'] }).kind).toBe('other');
});
