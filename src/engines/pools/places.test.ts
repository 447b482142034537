import { expect, it } from 'vitest';
import { aNode, aPod } from '../../../test/support/cluster-objects.js';
import { podsWithoutPlace } from './places.js';

const gpu = 'nvidia.com/gpu';
const leaving = aNode({ name: 'leaving', capacity: { [gpu]: 8 } });
const pod = (name: string, count: number, more: object = {}) =>
  aPod({ name, node: 'leaving', wants: { [gpu]: count }, ...more });
const taint = { key: 'team', value: 'ml', effect: 'NoSchedule' };

it.each<[string, ReturnType<typeof aNode>, readonly ReturnType<typeof aPod>[], readonly string[]]>([
  ['room for all', aNode({ name: 'a', capacity: { [gpu]: 3 } }), [pod('x', 1), pod('y', 2)], []],
  ['the large ones first', aNode({ name: 'a', capacity: { [gpu]: 2 } }), [pod('x', 1), pod('y', 2)], ['x']],
  ['what others use', aNode({ name: 'busy', capacity: { [gpu]: 2 } }), [pod('x', 2)], ['x']],
  ['a cordon', aNode({ name: 'a', capacity: { [gpu]: 9 }, isCordoned: true }), [pod('x', 1)], ['x']],
  [
    'a node that is not ready',
    aNode({ name: 'a', capacity: { [gpu]: 9 }, isReady: false }),
    [pod('x', 1)],
    ['x'],
  ],
  ['a taint', aNode({ name: 'a', capacity: { [gpu]: 9 }, taints: [taint] }), [pod('x', 1)], ['x']],
  [
    'a taint that is tolerated',
    aNode({ name: 'a', capacity: { [gpu]: 9 }, taints: [taint] }),
    [pod('x', 1, { tolerations: [{ key: 'team', operator: 'Equal', value: 'ml', effect: null }] })],
    [],
  ],
  [
    'a selector',
    aNode({ name: 'a', capacity: { [gpu]: 9 } }),
    [pod('x', 1, { nodeSelector: { zone: 'b' } })],
    ['x'],
  ],
  ['no GPU at all', aNode({ name: 'a' }), [pod('x', 0, { wants: {} }), pod('y', 1)], ['y']],
])('%s', (_, node, pods, wanted) => {
  const running = [...pods, aPod({ name: 'other', node: 'busy', wants: { [gpu]: 1 } })];
  const state = { nodes: [leaving, node], pods: running, dra: null };
  expect(podsWithoutPlace(pods, state, [leaving]).map(({ name }) => name)).toEqual(wanted);
});
