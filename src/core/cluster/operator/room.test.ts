import fc from 'fast-check';
import { expect, it } from 'vitest';
import { aNode } from '../../../../test/support/cluster-objects.js';
import { annotations } from './record.js';
import { roomFor } from './room.js';

const goal = { config: 'c', expected: { counts: {}, exact: true, single: null }, entries: [] };
const reach = { gpus: [0], wholeNode: false, mayReboot: false };
const record = (phase: string, startedMs = 1) =>
  JSON.stringify({
    ...{ version: 1, phase, goal, reach, labelBefore: null, previous: null, cordonedByUs: true },
    ...{ startedMs, sinceMs: startedMs, configMs: null, remedies: [], why: null },
  });
const node = (name: string, change?: string, more: object = {}) =>
  aNode({ name, annotations: change === undefined ? {} : { [annotations.change]: change }, ...more });
const watched = new Set(['w']);

it.each<[string, Parameters<typeof roomFor>, object]>([
  ['nobody else', ['a', null, [node('a'), node('b')], { most: 1, watched }], { kind: 'free' }],
  [
    'one at work',
    ['a', 1, [node('b', record('cutting'))], { most: 1, watched }],
    { kind: 'full', away: ['b'] },
  ],
  ['one stuck, of two', ['a', 1, [node('b', record('stuck'))], { most: 2, watched }], { kind: 'free' }],
  [
    'a record that nobody can read',
    ['a', 1, [node('b', '{"version":2}')], { most: 1, watched }],
    { kind: 'full' },
  ],
  [
    'a cordon of people',
    ['a', 1, [node('b', undefined, { isCordoned: true })], { most: 1, watched }],
    { kind: 'free' },
  ],
  [
    'one that is watched',
    ['a', 1, [node('w', undefined, { isCordoned: true })], { most: 1, watched }],
    { kind: 'full' },
  ],
  [
    'a claim after ours',
    ['a', 1, [node('b', record('claimed', 2))], { most: 1, watched }],
    { isFirst: true },
  ],
  ['a claim before ours', ['a', 2, [node('b', record('claimed'))], { most: 1, watched }], { isFirst: false }],
  ['claims at once', ['b', 1, [node('a', record('claimed'))], { most: 1, watched }], { isFirst: false }],
  [
    'one of another policy',
    ['a', 1, [node('b', record('cutting'))], { most: 1, watched, counts: ({ name }) => name !== 'b' }],
    { kind: 'free' },
  ],
])('%s', (_, input, wanted) => {
  expect(roomFor(...input)).toMatchObject(wanted);
});

it('of any claims, exactly as many go first as may, and none goes on while there are too many', () => {
  const claims = fc.uniqueArray(fc.tuple(fc.nat(20), fc.nat(5)), { selector: ([id]) => id, minLength: 1 });
  fc.assert(
    fc.property(claims, fc.integer({ min: 1, max: 4 }), fc.nat(3), (all, most, busy) => {
      const others = Array.from({ length: busy }, (_, index) => node(`busy-${index}`, record('cutting')));
      const nodes = [...others, ...all.map(([id, atMs]) => node(`n${id}`, record('claimed', atMs)))];
      const answers = all.map(([id, atMs]) => roomFor(`n${id}`, atMs, nodes, { most, watched }));
      const free = answers.filter(({ kind }) => kind === 'free').length;
      const first = answers.filter((one) => one.kind === 'contested' && one.isFirst).length;
      if (busy + all.length <= most) expect(free).toBe(all.length);
      else expect([free, first]).toEqual([0, Math.max(0, most - busy)]);
    }),
  );
});
