import { expect, it } from 'vitest';
import { sampleAudit } from '../../../test/support/sample-audit.js';
import { byNamespace, bySaving, restOf, savedUsd } from './order.js';

it('what saves most comes first', () => {
  const saved = bySaving(sampleAudit.workloads).map(savedUsd);
  expect(saved).toEqual([...saved].sort((a, b) => b - a));
});

it('namespaces keep their workloads together, and every workload is there once', () => {
  const groups = byNamespace(sampleAudit.workloads);
  expect(groups.map(({ namespace }) => namespace)).toEqual([
    ...['search', 'research', 'batch', 'chat', 'fraud', 'research|=cmd', '', 'media'],
  ]);
  const names = groups.flatMap(({ workloads }) => workloads.map(({ workload }) => workload));
  expect(names.sort()).toEqual(sampleAudit.workloads.map(({ workload }) => workload).sort());
});

it('rows and the rest add up to the totals; where they cannot, there is no rest', () => {
  const [one] = sampleAudit.workloads;
  if (one === undefined) throw new Error('the sample has no workloads');
  const answer = {
    ...sampleAudit,
    totals: { ...sampleAudit.totals, usdPerMonth: { now: 1000, after: 300, saved: 700 } },
    workloads: [
      { ...one, usdPerMonth: { now: 800, after: 100 } },
      { ...one, usdPerMonth: { now: 200, after: 50.25 } },
    ],
  };
  expect(restOf(answer)).toEqual({ now: 0, after: 149.75 });
  const without = (now: number | null) => ({
    ...answer,
    workloads: [{ ...one, usdPerMonth: { now, after: 0 } }],
  });
  expect([restOf(without(null)), restOf(without(1001.5))]).toEqual([null, null]);
});
