import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { yamlFile, yamlText } from './yaml-text.js';

it('reads back the same as YAML 1.1 and as YAML 1.2', () => {
  const tricky = fc.constantFrom(
    'yes',
    'NO',
    'on',
    '~',
    'null',
    '0o17',
    '1_000',
    '12:30:45',
    '1e3',
    '.inf',
    '<<',
    '=',
    '- a',
    'a: b',
    '# x',
    'a\nb',
    'a\r\nb',
    '\t',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }).filter((one) => isWellFormed(one)),
    tricky,
  );
  const keys = text.filter((key) => key !== '__proto__');
  fc.assert(
    fc.property(fc.dictionary(keys, fc.oneof(text, fc.integer(), fc.boolean())), (value) => {
      const plain = { ...value };
      expect(parse(yamlText(plain), { version: '1.2' })).toEqual(plain);
      expect(parse(yamlText(plain), { version: '1.1', merge: false })).toEqual(plain);
    }),
  );
});

it('keeps documents apart and comments comments', () => {
  const file = yamlFile([
    { comment: ['one\nkind: Secret', ''], value: { kind: 'A' } },
    { value: { kind: 'B' } },
  ]);
  expect(file).toBe('# one\\u{a}kind: Secret\n#\nkind: A\n---\nkind: B\n');
  expect(parseAllDocuments(file).map((document) => document.toJS() as unknown)).toEqual([
    { kind: 'A' },
    { kind: 'B' },
  ]);
});

/** No lone surrogates: those cannot be written as UTF-8. */
function isWellFormed(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}
