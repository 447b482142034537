import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { openLog, type LogReader } from './log-file.js';

const folder = mkdtempSync(join(tmpdir(), 'mica-log-'));
const path = join(folder, 'log');
afterAll(() => rmSync(folder, { recursive: true }));

async function textOf(reader: LogReader): Promise<string> {
  let text = '';
  for await (const piece of reader.more()) text += piece;
  return text;
}

async function last(lines: number | null): Promise<string> {
  const reader = await openLog(path, lines);
  const text = await textOf(reader);
  await reader.close();
  return text;
}

describe('reading a log', () => {
  it('has the last lines, however long they are', async () => {
    const anyText = fc.array(fc.constantFrom('a', 'é\n', '\n', 'x'.repeat(40_000), '\n\n'), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(anyText, fc.nat(5), async (parts, lines) => {
        const text = parts.join('');
        writeFileSync(path, text);
        const all = text.split(/(?<=\n)/).filter((line) => line !== '');
        expect(await last(lines)).toBe(lines === 0 ? '' : all.slice(-lines).join(''));
        expect(await last(null)).toBe(text);
      }),
      { numRuns: 60 },
    );
  });

  it('goes on where it was, also in the middle of a character', async () => {
    const bytes = Buffer.from('früh\n');
    writeFileSync(path, bytes.subarray(0, 3));
    const reader = await openLog(path, null);
    const first = await textOf(reader);
    appendFileSync(path, bytes.subarray(3));
    expect(first + (await textOf(reader))).toBe('früh\n');
    await reader.close();
    expect(await textOf(await openLog(join(folder, 'none'), 5))).toBe('');
  });
});
