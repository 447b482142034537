import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AuditAnswer } from '#core/audit/answer';
import { sampleAudit } from '../../../test/support/sample-audit.js';
import { inert, toMarkdown } from './markdown.js';

it('a name neither ends its cell or line nor becomes HTML', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const text = inert(name);
      expect(text).not.toMatch(/\p{Cc}|[\u202A-\u202E\u2066-\u2069]/u);
      expect(text.replace(/\\[\\`*_[\]<>|~&]/g, '')).not.toMatch(/[`*_[\]<>|~&]/);
    }),
  );
});

it('every row of a table has as many cells as its head', () => {
  const lines = toMarkdown(sampleAudit).split('\n');
  const cells = lines
    .filter((line) => line.startsWith('|'))
    .map((line) => line.replaceAll('\\|', '').split('|').length - 2);
  expect([...new Set(cells)]).toEqual([5, 10]);
  expect(cells.filter((count) => count === 10)).toHaveLength(sampleAudit.workloads.length + 2);
});

it('money that is not known is said so', () => {
  const unpriced: AuditAnswer = { ...sampleAudit, totals: { ...sampleAudit.totals, usdPerMonth: null } };
  expect(toMarkdown(unpriced)).toContain('| **all** | **27** | **14** | **not known** | **not known** |');
});
