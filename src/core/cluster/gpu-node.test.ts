import { describe, expect, it } from 'vitest';
import { aNode, aPod } from '../../../test/support/cluster-objects.js';
import { gkeG4, mixedH100, wholeH100 } from '../../../test/support/node-labels.js';
import { gpuNodeOf } from './gpu-node.js';

const mixedCounts = { 'nvidia.com/mig-1g.10gb': 2, 'nvidia.com/mig-2g.20gb': 1, 'nvidia.com/mig-3g.40gb': 1 };

it('strategy mixed: each profile is a resource of its own, used by the pods that ask for it', () => {
  const node = aNode({ name: 'a', labels: mixedH100, capacity: { ...mixedCounts, 'nvidia.com/gpu': 0 } });
  const pods = [
    aPod({ name: 'p', node: 'a', wants: { 'nvidia.com/mig-1g.10gb': 1 } }),
    aPod({ name: 'done', node: 'a', phase: 'Succeeded', wants: { 'nvidia.com/mig-1g.10gb': 1 } }),
  ];
  expect(gpuNodeOf(node, pods)).toMatchObject({
    partitioner: 'gpu-operator',
    strategy: 'mixed',
    model: { key: 'h100-80gb-sxm' },
    gpus: 1,
    migConfig: { name: 'all-balanced', state: 'success' },
    offers: [
      { profile: '1g.10gb', capacity: 2, used: 1 },
      { profile: '2g.20gb', capacity: 1, used: 0 },
      { profile: '3g.40gb', capacity: 1, used: 0 },
    ],
    troubles: [],
  });
});

it('strategy single: nvidia.com/gpu is a slice where the product says so, else a whole GPU', () => {
  const whole = aNode({ name: 'a', labels: wholeH100, capacity: { 'nvidia.com/gpu': 1 } });
  expect(gpuNodeOf(whole, [])).toMatchObject({ gpus: 1, offers: [{ profile: null, capacity: 1 }] });
  const product = 'NVIDIA-H100-80GB-HBM3-MIG-1g.10gb';
  const cut = aNode({
    name: 'b',
    labels: { ...wholeH100, 'nvidia.com/gpu.product': product, 'nvidia.com/gpu.count': '14' },
    capacity: { 'nvidia.com/gpu': 14 },
  });
  expect(gpuNodeOf(cut, [])).toMatchObject({
    product: 'NVIDIA-H100-80GB-HBM3',
    gpus: 2,
    offers: [{ profile: '1g.10gb', capacity: 14 }],
  });
});

it('GKE: the size is a label of the node, and several pods may share a slice', () => {
  const node = aNode({ name: 'a', labels: gkeG4, capacity: { 'nvidia.com/gpu': 16 } });
  expect(gpuNodeOf(node, [])).toMatchObject({
    partitioner: 'gke',
    model: { key: 'rtx-pro-6000-blackwell-server' },
    gpus: 1,
    pool: 'mig',
    offers: [{ resource: 'nvidia.com/gpu', profile: '1g.24gb', capacity: 16, clients: 4 }],
  });
});

it('GKE with the GPU Operator instead of its own plugin', () => {
  const labels = { ...gkeG4, ...mixedH100, 'gke-no-default-nvidia-gpu-device-plugin': 'true' };
  expect(gpuNodeOf(aNode({ name: 'a', labels }), [])).toMatchObject({ partitioner: 'gpu-operator' });
});

it('DRA: devices are counted, and claims take them', () => {
  const device = (profile: string, taken: boolean) => ({
    ...{ driver: 'gpu.nvidia.com', pool: 'a', device: profile, node: 'a', taken },
    attributes: { type: 'mig', profile, productName: 'NVIDIA RTX PRO 6000 Blackwell Server Edition' },
  });
  const devices = [device('1g.24gb', true), device('1g.24gb', false), device('2g.48gb', false)];
  expect(gpuNodeOf(aNode({ name: 'a' }), [], devices)).toMatchObject({
    partitioner: 'dra',
    model: { key: 'rtx-pro-6000-blackwell-server' },
    offers: [
      { profile: '1g.24gb', capacity: 2, used: 1 },
      { profile: '2g.48gb', capacity: 1, used: 0 },
    ],
  });
});

it('DRA that cuts on demand: places that overlap are not slices until somebody has them', () => {
  const gpu = (minor: number) => ({
    ...{ driver: 'gpu.nvidia.com', pool: 'a', device: `gpu-${minor}`, node: 'a', taken: false },
    attributes: { type: 'gpu', productName: 'NVIDIA H100 80GB HBM3' },
  });
  const place = (minor: number, start: number, taken: boolean) => ({
    ...{
      driver: 'gpu.nvidia.com',
      pool: 'a',
      device: `gpu-${minor}-mig-1g10gb-19-${start}`,
      node: 'a',
      taken,
    },
    attributes: { type: 'mig', profile: '1g.10gb' },
  });
  const places = [0, 1, 2, 3].map((start) => place(0, start, start === 2));
  const devices = [gpu(0), gpu(1), ...places, place(1, 0, false)];
  expect(gpuNodeOf(aNode({ name: 'a' }), [], devices)?.offers).toMatchObject([
    { profile: '1g.10gb', capacity: 1, used: 1 },
    { profile: null, capacity: 1, used: 0 },
  ]);
});

it('a node without GPUs is none', () => {
  expect(gpuNodeOf(aNode({ name: 'a', labels: { 'kubernetes.io/os': 'linux' } }), [])).toBeNull();
});

describe('troubles', () => {
  const troublesOf = (labels: Record<string, string>, allocatable: Record<string, number> = mixedCounts) =>
    gpuNodeOf(
      aNode({ name: 'a', labels: { ...mixedH100, ...labels }, capacity: mixedCounts, allocatable }),
      [],
    )?.troubles;

  it('mig-manager failed, is at work, or left components paused', () => {
    expect(troublesOf({ 'nvidia.com/mig.config.state': 'failed' })).toEqual([
      'mig-manager failed to apply all-balanced',
    ]);
    expect(troublesOf({ 'nvidia.com/gpu.deploy.device-plugin': 'paused-for-mig-change' })).toEqual([
      'device-plugin was paused for a change and not started again',
    ]);
    expect(
      troublesOf({
        'nvidia.com/mig.config.state': 'pending',
        'nvidia.com/gpu.deploy.device-plugin': 'paused-for-mig-change',
      }),
    ).toEqual(['mig-manager is at work on all-balanced (pending)']);
  });

  it('a resource that is gone stays in capacity', () => {
    expect(troublesOf({}, { ...mixedCounts, 'nvidia.com/mig-3g.40gb': 0 })).toEqual([
      'nvidia.com/mig-3g.40gb: 1 in capacity, none allocatable (gone, or the plugin is not running)',
    ]);
  });

  it('a layout that strategy single cannot offer', () => {
    expect(troublesOf({ 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3-MIG-INVALID' }, {})?.[0]).toMatch(
      /offers nothing/,
    );
  });
});

it('counts that cannot be: how many GPUs there are is not known', () => {
  const labels = { 'nvidia.com/gpu.present': 'true', 'nvidia.com/gpu.replicas': '1e9' };
  const node = aNode({ name: 'a', labels, capacity: { 'nvidia.com/gpu': 3 } });
  expect(gpuNodeOf(node, [])).toMatchObject({ gpus: null });
});
