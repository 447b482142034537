import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wordsOf } from './words.js';

const words = (line: string) => {
  const answer = wordsOf(line);
  return answer.ok ? answer.words : answer.why;
};

describe('words of a line', () => {
  it('are split and unquoted', () => {
    expect(words(`pytest -k 'a and not b'  x::y[p-1]\t"q \\" \\n"`)).toEqual([
      'pytest',
      '-k',
      'a and not b',
      'x::y[p-1]',
      'q " \\n',
    ]);
    expect(words(`a '' "b"'c'd\\ e`)).toEqual(['a', '', 'bcd e']);
    expect(words(`grep '^x\\.y$' --re=a#b # it's`)).toEqual(['grep', '^x\\.y$', '--re=a#b']);
    expect(words('  ')).toEqual([]);
    expect(words('# a | b')).toEqual([]);
    expect(words('a\r')).toEqual(['a']);
  });

  it.each([
    'a | b',
    'a > b',
    'a; b',
    'a && b',
    'a $X',
    'a "${X}"',
    'a $(b)',
    'a `b`',
    'a "`b`"',
    'ls *.py',
    'cd ~/x',
  ])('%s is left to a shell', (line) => {
    expect(words(line)).toContain('--shell');
  });

  it.each([`a 'b`, `a "b`, `it's`, 'a\\'])('%s is not finished', (line) => {
    expect(wordsOf(line).ok).toBe(false);
    expect(words(line)).not.toContain('--shell');
  });

  it('are what a shell makes of them', () => {
    const pieces = [
      'a',
      'b1',
      ' ',
      '\t',
      "'",
      '"',
      '\\',
      '#',
      '$',
      '=',
      '-',
      '/',
      '[',
      ']',
      '{',
      '}',
      '!',
      '~',
      'ü',
      '%',
    ];
    const lines = fc
      .sample(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), { numRuns: 400, seed: 5 })
      .map((parts) => `x ${parts.join('')}`);
    const readable = lines.flatMap((line) => {
      const answer = wordsOf(line);
      return answer.ok ? [{ line, words: answer.words }] : [];
    });
    expect(readable.length).toBeGreaterThan(100);
    const script = readable.map(({ line }) => `p ${line}\n`).join('');
    const said = execFileSync(
      '/bin/sh',
      ['-fc', `p() { for one; do printf '%s\\0' "$one"; done; printf '\\0\\0'; }\n${script}`],
      {
        encoding: 'utf8',
        cwd: '/',
      },
    );
    const expected = readable
      .map(({ words: all }) => `${all.map((one) => `${one}\0`).join('')}\0\0`)
      .join('');
    expect(said).toBe(expected);
  });
});
