import { expect, it } from 'vitest';
import { startupTaint } from '#core/clouds/slices-ready';
import { aNode } from '../../../test/support/cluster-objects.js';
import { openNodes } from './open-nodes.js';

it('nodes that offer what they promise take pods, the others keep their taint and say why', async () => {
  const labels = { 'mica.dev/slices': '4x1g.24gb' };
  const taints = [startupTaint];
  const nodes = [
    aNode({ name: 'right', labels, taints, capacity: { 'nvidia.com/gpu': 4 } }),
    aNode({ name: 'not-cut', labels, taints, capacity: { 'nvidia.com/gpu': 1 } }),
    aNode({ name: 'strange', taints }),
    aNode({ name: 'open' }),
  ];
  const patched: string[] = [];
  const patchNode = async (name: string) => {
    patched.push(name);
    return { ok: true as const, value: aNode({ name }) };
  };
  expect(await openNodes({ nodes, pods: [], dra: null }, { patchNode })).toEqual([
    { node: 'right', why: null },
    { node: 'not-cut', why: '1 of 4 slices of 1g.24gb allocatable' },
    { node: 'strange', why: expect.stringContaining('no label') },
  ]);
  expect(patched).toEqual(['right']);
});
