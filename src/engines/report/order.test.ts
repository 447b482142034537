import { expect, it } from 'vitest';
import { sampleAudit } from '../../../test/support/sample-audit.js';
import { byNamespace, bySaving, savedUsd } from './order.js';

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
