import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleAudit } from '../../../test/support/sample-audit.js';
import { csvCell, toCsv } from './csv.js';
import { visible } from './visible.js';

describe('toCsv', () => {
  it('a CSV library reads back what was written', () => {
    const rows = parse<Record<string, string>>(toCsv(sampleAudit), { columns: true });
    expect(rows.map(({ memory_max_mib }) => Number(memory_max_mib))).toEqual(
      sampleAudit.workloads.map(({ memoryMiB }) => memoryMiB?.max),
    );
    expect(rows.map(({ why }) => why)).toEqual(sampleAudit.workloads.map(({ why }) => why));
  });

  it('what is not known is empty, and not 0', () => {
    const rows = parse<Record<string, string>>(toCsv(sampleAudit), { columns: true });
    const unknown = rows.find(({ workload }) => workload === 'node-9/gpu-1');
    expect(unknown).toMatchObject({ usd_per_month_now: '', recommended_model: '', activity_p95: '' });
  });

  it('any text is one cell, and never a formula', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 2 }), (raw) => {
        const texts = raw.map(visible);
        const [row = []] = parse(`${texts.map(csvCell).join(',')}\n`, { skip_empty_lines: false });
        const cells = row as readonly string[];
        expect(cells.map((cell, at) => (cell === texts[at] ? cell : cell.replace(/^'/, '')))).toEqual(texts);
        expect(cells.filter((cell) => /^\s*[=+\-@]|^[\t\r\n]/.test(cell))).toEqual([]);
      }),
    );
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1', ' =1'])(
    '%j is kept from running',
    (text) => {
      expect(csvCell(text).replace(/^"/, '')).toMatch(/^'/);
    },
  );

  it('no name steers a terminal', () => {
    expect(csvCell('a\u001b[2J\u202E')).toBe('a\\x1b[2J\\x202e');
  });

  it('numbers stay numbers, negative ones too', () => {
    expect([csvCell(-1.5), csvCell(0)]).toEqual(['-1.5', '0']);
  });
});
