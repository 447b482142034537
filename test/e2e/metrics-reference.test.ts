/** docs/reference/metrics.md says what the code does. After a wanted change: UPDATE_GOLDEN=1 npx vitest run test/e2e */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { metricTable } from '#apps/controller/metrics';
import { root } from '../tooling/clone.js';

it('docs/reference/metrics.md lists every metric with its type, labels and meaning', () => {
  const file = join(root, 'docs/reference/metrics.md');
  const page = readFileSync(file, 'utf8');
  const rows = Object.entries(metricTable).map(([name, { type, labels, means }]) => {
    const shown = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${shown} | ${means} |\n`;
  });
  const wanted = page.replace(/(\|---\|---\|---\|---\|\n)(\|.*\n)*/, (_, head) => `${head}${rows.join('')}`);
  if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(file, wanted);
  expect(readFileSync(file, 'utf8')).toBe(wanted);
});
