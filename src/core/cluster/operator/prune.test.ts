import fc from 'fast-check';
import { expect, it } from 'vitest';
import { aNode } from '../../../../test/support/cluster-objects.js';
import { entriesFor, spelledName } from './mig-config.js';
import { configsInUse, configsToDrop, isOwnConfig } from './prune.js';

it('knows the names that it makes, and takes no other for its own', () => {
  const names = [
    new Map([[0, { mig: true, counts: { '1g.10gb': 7 } }] as const]),
    new Map([[3, { mig: false }] as const]),
  ];
  for (const cut of names) expect(isOwnConfig(spelledName(entriesFor(cut)))).toBe(true);
  expect(['mica', 'mica-ours', 'all-disabled', 'mica-team-a'].filter(isOwnConfig)).toEqual([]);
});

it('a label is in use, and what a record begins with, means and goes back to', () => {
  const goal = { config: 'goal', expected: { counts: {}, exact: true, single: null } };
  const record = {
    ...{
      version: 1,
      phase: 'claimed',
      goal: { ...goal, entries: [] },
      labelBefore: 'was',
      cordonedByUs: true,
    },
    ...{ reach: { gpus: [0], wholeNode: false, mayReboot: false }, previous: { ...goal, config: 'back' } },
    ...{ startedMs: 1, sinceMs: 1, configMs: null, remedies: [], why: null },
  };
  const nodes = [
    aNode({ name: 'a', labels: { 'nvidia.com/mig.config': 'label' } }),
    aNode({ name: 'b', annotations: { 'mica.dev/change': JSON.stringify(record) } }),
    aNode({ name: 'c', annotations: { 'mica.dev/change': '{"version":2}' } }),
  ];
  expect([...configsInUse(nodes)].sort()).toEqual(['back', 'goal', 'label', 'was']);
});

it('drops the oldest, none that is used, and no more than has to go', () => {
  const ours = fc.uniqueArray(
    fc.nat(99).map((index) => `mica-${index}-x`),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(ours, fc.array(fc.nat(29)), fc.nat(10), (own, at, most) => {
      const used = new Set(at.flatMap((index) => own[index] ?? []));
      const dropped = configsToDrop(['theirs', ...own], used, most);
      const left = own.filter((name) => !dropped.includes(name));
      expect(dropped.some((name) => used.has(name) || name === 'theirs')).toBe(false);
      expect(left.length).toBe(
        Math.max(Math.min(own.length, most), left.filter((name) => used.has(name)).length),
      );
      expect(dropped).toEqual(own.filter((name) => !used.has(name)).slice(0, dropped.length));
    }),
  );
});
