/** Whole reports, byte for byte. After a wanted change: UPDATE_GOLDEN=1 npx vitest run test/report */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AuditFormat } from '#apps/cli/audit-formats';
import { renderAudit } from '#apps/cli/commands/audit/render-audit';
import { screenOn, type Screen } from '#apps/cli/terminal/screen';
import { sampleAudit } from '../support/sample-audit.js';
import { root } from '../tooling/clone.js';

function screen(env: Readonly<Record<string, string>> = {}, columns?: number): Screen {
  const write = (): void => undefined;
  const out = columns === undefined ? { write } : { write, isTTY: true, columns };
  return screenOn({ out, err: { write }, env });
}

async function rendered(format: AuditFormat, on: Screen, all = false): Promise<string> {
  return [...(await renderAudit(sampleAudit, format, on, all))].join('');
}

const cases: readonly (readonly [file: string, AuditFormat, Screen, all: boolean])[] = [
  ['table.txt', 'table', screen(), false],
  ['table-all.txt', 'table', screen(), true],
  ['table-80-columns.txt', 'table', screen({ NO_COLOR: '1' }, 80), false],
  ['report.md', 'markdown', screen(), false],
  ['report.csv', 'csv', screen(), false],
];

it.each(cases)('%s', async (name, format, on, all) => {
  const text = await rendered(format, on, all);
  const file = join(root, 'test/golden/audit', name);
  if (process.env['UPDATE_GOLDEN'] !== undefined) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, 'utf8'));
});

it('the JSON is the answer', async () => {
  expect(JSON.parse(await rendered('json', screen()))).toEqual(JSON.parse(JSON.stringify(sampleAudit)));
});

describe('on a terminal', () => {
  it('colours follow the severity', async () => {
    const text = await rendered('table', screen({}, 200));
    expect(text).toContain('\u001b[31mRTX PRO 6000 -> 1g.24gb (-72.5 GiB)');
    expect(text).toContain('\u001b[32m2 x RTX PRO 6000 (stays)');
  });

  it.each([65, 80, 100, 120, 200])('rows keep within %i columns', async (columns) => {
    const text = await rendered('table', screen({ NO_COLOR: '1' }, columns));
    const [, , , head = ''] = text.split('\n');
    expect(head).toMatch(/^workload .*-> recommended .*\$ a month/);
    expect(head.includes('current ->')).toBe(columns >= 100);
    expect(head.length).toBeLessThanOrEqual(columns);
  });

  it('no name moves the cursor, in any format', async () => {
    const [first, ...others] = sampleAudit.workloads;
    if (first === undefined) throw new Error('the sample has no workloads');
    const evil = { ...first, workload: 'a\u001b[2Jb\u202Ec', why: 'x\u009b2J', confidence: 'low' as const };
    for (const format of ['table', 'yaml', 'csv', 'markdown', 'html', 'json'] as const) {
      const on = screen({ NO_COLOR: '1' }, 120);
      const pieces = await renderAudit({ ...sampleAudit, workloads: [evil, ...others] }, format, on, true);
      expect([...pieces].join('')).not.toMatch(/(?![\n\t])\p{Cc}|\u202E/u);
    }
  });
});
