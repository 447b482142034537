import { describe, expect, it } from 'vitest';
import { aPod } from '../../../../test/support/cluster-objects.js';
import { askOf, pinningLabel, whyItStays, workloadKey, workloadOf } from './pod-asks.js';

describe('askOf', () => {
  it.each([
    [{ 'nvidia.com/mig-1g.24gb.me.all': 2 }, {}, { profile: '1g.24gb+me.all', count: 2, selector: {} }],
    [{ 'nvidia.com/gpu': 4 }, {}, { profile: null, count: 4, selector: {} }],
    [
      { 'nvidia.com/gpu': 1 },
      { 'cloud.google.com/gke-gpu-partition-size': '1g.24gb.gfx', zone: 'b' },
      { profile: '1g.24gb+gfx', count: 1, selector: { zone: 'b' } },
    ],
    [
      { 'nvidia.com/gpu': 1 },
      { 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3-MIG-1g.10gb' },
      { profile: '1g.10gb', count: 1, selector: { 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3' } },
    ],
  ])('%j with %j', (wants, nodeSelector, ask) => {
    expect(askOf(aPod({ name: 'x', wants, nodeSelector }))).toMatchObject({ ok: true, ask });
  });

  it('what it cannot plan has a reason', () => {
    const why = (said: Parameters<typeof aPod>[0]): string => {
      const answer = askOf(aPod(said));
      return answer.ok ? '' : answer.why;
    };
    expect(why({ name: 'x', claims: ['c'] })).toContain('ResourceClaim');
    expect(why({ name: 'x', wants: { 'nvidia.com/gpu.shared': 1 } })).toContain('a turn');
    expect(why({ name: 'x', wants: { 'nvidia.com/gpu': 1, 'nvidia.com/mig-1g.10gb': 1 } })).toContain(
      'at once',
    );
  });
});

describe('workloadOf', () => {
  const owned = (kind: string, name: string, labels = {}) =>
    workloadKey(workloadOf(aPod({ name: 'p', labels, controller: { kind, name, uid: 'u' } })));

  it('a ReplicaSet is of its Deployment', () => {
    expect(owned('ReplicaSet', 'chat-7c9f8d5b6b')).toBe('Deployment default/chat');
    expect(owned('ReplicaSet', 'chat-abc', { 'pod-template-hash': 'abc' })).toBe('Deployment default/chat');
    expect(owned('ReplicaSet', 'by-hand')).toBe('ReplicaSet default/by-hand');
    expect(owned('StatefulSet', 'db')).toBe('StatefulSet default/db');
    expect(workloadKey(workloadOf(aPod({ name: 'alone' })))).toBe('default/alone');
  });
});

it('labels that a new cut changes pin a pod to its nodes', () => {
  const pool = aPod({ name: 'x', nodeSelector: { 'cloud.google.com/gke-nodepool': 'a' } });
  expect(pinningLabel(pool, new Set(['a']))).toBe('cloud.google.com/gke-nodepool');
  expect(pinningLabel(pool, new Set())).toBeNull();
  const config = aPod({ name: 'x', nodeSelector: { 'nvidia.com/mig.config': 'all-1g.10gb' } });
  expect(pinningLabel(config, new Set())).toBe('nvidia.com/mig.config');
});

it('a pod of the kubelet stays, one of a StatefulSet may go', () => {
  const controller = { kind: 'StatefulSet', name: 'x', uid: 'x' };
  expect(whyItStays(aPod({ name: 'x', isMirror: true, controller }))).toContain('kubelet');
  expect(whyItStays(aPod({ name: 'x', controller }))).toBeNull();
});
