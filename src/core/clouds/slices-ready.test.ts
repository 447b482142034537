import { expect, it } from 'vitest';
import { aNode } from '../../../test/support/cluster-objects.js';
import { slicesMissing } from './slices-ready.js';

const two = [{ profile: '2g.48gb', perNode: 2 }];

it.each<[string, object, readonly string[]]>([
  ['mixed', { 'nvidia.com/mig-2g.48gb': 2 }, []],
  ['single, and GKE', { 'nvidia.com/gpu': 2 }, []],
  ['shared under another name', { 'nvidia.com/mig-2g.48gb.shared': 2 }, []],
  [
    'what the kubelet still remembers',
    { 'nvidia.com/mig-2g.48gb': 0 },
    ['0 of 2 slices of 2g.48gb allocatable'],
  ],
  ['too few', { 'nvidia.com/gpu': 1 }, ['1 of 2 slices of 2g.48gb allocatable']],
])('%s', (_, allocatable, wanted) => {
  expect(slicesMissing(aNode({ name: 'n', allocatable: { ...allocatable } }), two)).toEqual(wanted);
});

it('one whole card is no slice of it', () => {
  const full = [{ profile: '4g.96gb', perNode: 1 }];
  const allocatable = { 'nvidia.com/gpu': 1 };
  const product = 'NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition';
  const whole = aNode({ name: 'n', allocatable, labels: { 'nvidia.com/gpu.product': product } });
  expect(slicesMissing(whole, full)).toHaveLength(1);
  const cut = aNode({
    name: 'n',
    allocatable,
    labels: { 'nvidia.com/gpu.product': `${product}-MIG-4g.96gb` },
  });
  expect(slicesMissing(cut, full)).toEqual([]);
});

it('several sizes are several resources', () => {
  const mixed = [{ profile: '1g.24gb', perNode: 2 }, ...two];
  expect(slicesMissing(aNode({ name: 'n', allocatable: { 'nvidia.com/gpu': 2 } }), mixed)).toHaveLength(2);
});
