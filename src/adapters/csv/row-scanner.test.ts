import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowScanner } from './row-scanner.js';

/** Scans in chunks of a few bytes, as a slow disk would give them. */
function rowsOf(text: string, chunk = 1 << 20): { rows: string[][]; lines: number[]; broken: number[] } {
  const rows: string[][] = [];
  const lines: number[] = [];
  const broken: number[] = [];
  const scanner = new RowScanner(',', (row) => {
    if (row.isBroken) return broken.push(row.line);
    rows.push(Array.from({ length: row.cells }, (_, cell) => row.text(cell)));
    return lines.push(row.line);
  });
  const bytes = Buffer.from(text);
  let left = Buffer.alloc(0);
  for (let at = 0; at < bytes.length; at += chunk) {
    const here = Buffer.concat([left, bytes.subarray(at, at + chunk)]);
    left = here.subarray(scanner.scan(here, here.length, at + chunk >= bytes.length));
  }
  expect(left).toHaveLength(0);
  return { rows, lines, broken };
}

const cell = fc.oneof(
  fc.constantFrom(
    '',
    'bert',
    '12.5',
    '2026-11-02T08:00:00Z',
    'a,b',
    'say "x"',
    'two\nlines',
    ' padded ',
    '"',
    'ü€😀',
    '\r',
  ),
  fc.string({ unit: 'binary' }),
);
const written = fc.record({ value: cell, quoted: fc.boolean() }).map(({ value, quoted }) => {
  // Padding, a BOM and carriage returns are the trimming's, tested apart.
  const plain = value
    .replace(/[\r\u2028\u2029\u0085\ufeff]/g, '')
    .replace(/^\s+|\s+$/gu, '')
    .replaceAll('\0', '');
  return quoted || /[",\n\r]|^[\s#]/u.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
});

describe('rows', () => {
  it('are those that csv-parse finds, however the file is cut into chunks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(written, { minLength: 2, maxLength: 6 }), { maxLength: 12 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.integer({ min: 1, max: 40 }),
        (table, lineBreak, endsWithBreak, chunk) => {
          const text = table.map((row) => row.join(',')).join(lineBreak) + (endsWithBreak ? lineBreak : '');
          const wanted: string[][] = parse(text, {
            ...{ trim: true, relax_column_count: true, skip_empty_lines: true, record_delimiter: lineBreak },
          });
          expect(rowsOf(text, chunk).rows).toEqual(wanted);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are trimmed outside of quotes', () => {
    expect(rowsOf(' a ,\tb\t, " c " ,"d" \r\n').rows).toEqual([['a', 'b', ' c ', 'd']]);
  });

  it('are not empty lines or remarks', () => {
    expect(rowsOf('# a,b\n\n  \na,b\n\r\n# c\nd,').rows).toEqual([
      ['a', 'b'],
      ['d', ''],
    ]);
  });

  it('know their line, past quoted line breaks', () => {
    expect(rowsOf('# x\na,"1\n2\n3"\n\nb,4\n').lines).toEqual([2, 6]);
  });

  it('keep quotes in the middle of a cell', () => {
    expect(rowsOf('a 5" disk,b\n').rows).toEqual([['a 5" disk', 'b']]);
  });

  it('that are broken cost no other row', () => {
    expect(rowsOf('a,1\nb,"2\nc,3\nd,"4"x\ne,5\n')).toEqual({
      rows: [
        ['a', '1'],
        ['c', '3'],
        ['e', '5'],
      ],
      lines: [1, 3, 5],
      broken: [2, 4],
    });
    const long = `a,1\nb,"${'x'.repeat(100)}\n${'c,3\n'.repeat(100_000)}`;
    const { rows, broken } = rowsOf(long, 10_000);
    expect(broken).toEqual([2]);
    expect(rows).toHaveLength(100_001);
  });
});
