import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { oneLine, shellLine, shellQuote } from './shell-text.js';

const words = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && isWellFormed(text));

it('gives the shell exactly the words, whatever is in them', () => {
  fc.assert(
    fc.property(fc.array(words, { maxLength: 20 }), (texts) => {
      const line = `printf '%s\\0' ${shellLine(texts)}`;
      const read = execFileSync('bash', ['-c', line], { encoding: 'utf8' }).split('\0').slice(0, -1);
      expect(read).toEqual(texts.length === 0 ? [''] : texts);
    }),
    { numRuns: 50 },
  );
});

it('leaves plain words as a person would write them', () => {
  expect(shellLine(['gcloud', '--accelerator=type=a,count=1', 'x y', "it's", ''])).toBe(
    String.raw`gcloud --accelerator=type=a,count=1 'x y' 'it'\''s' ''`,
  );
  expect(shellQuote('$(reboot)')).toBe("'$(reboot)'");
});

it('keeps a comment on its line', () => {
  const hostile = 'a\nrm -rf /\r\u2028\u0085x';
  expect(oneLine(hostile)).not.toMatch(/[\n\r\u2028\u0085]/);
  expect(oneLine('gpu-1 ⚙ größe')).toBe('gpu-1 ⚙ größe');
});

/** No lone surrogates: those cannot be written as UTF-8. */
function isWellFormed(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}
