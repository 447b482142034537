/** Whoever cannot solve the whole question solves the smaller one. */
import { expect, it } from 'vitest';
import { MicaError } from '#core/errors';
import { gpuNode } from '../../../../test/support/planned-cluster.js';
import { inTime } from './in-time.js';
import type { Planner } from './scene.js';

const state = { nodes: [gpuNode('a', { '1g.24gb': 4 })], pods: [], dra: null };
const rulesOf = () => ({ group: 'p', frozen: null, allowed: null, mayMovePods: true });

it('plans without moving pods where moving them takes too long', () => {
  const asked: boolean[] = [];
  const plan: Planner = ({ nodes }, options) => {
    const mayMove = nodes.map((node) => options.rulesOf?.(node).mayMovePods === true).includes(true);
    asked.push(mayMove);
    if (mayMove) throw new MicaError('solver-failed', 'time limit');
    return { ok: false, why: { kind: 'no-pool', message: 'the second answer' } };
  };
  expect(inTime(plan)(state, { rulesOf })).toMatchObject({ why: { message: 'the second answer' } });
  expect(asked).toEqual([true, false]);
});

it('lets other failures through, and a second one', () => {
  const failing =
    (error: Error): Planner =>
    () => {
      throw error;
    };
  expect(() => inTime(failing(new RangeError('odd')))(state, { rulesOf })).toThrow('odd');
  expect(() => inTime(failing(new MicaError('solver-failed', 'again')))(state, { rulesOf })).toThrow('again');
});
