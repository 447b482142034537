import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isNodeName, labelFrom, NameBook } from './kubernetes-names.js';

const label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

it('makes a legal, unused name from any text', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary' }), { maxLength: 40 }),
      fc.integer({ min: 8, max: 63 }),
      (texts, longest) => {
        const book = new NameBook(longest);
        const names = texts.map((text) => book.take(text));
        for (const name of names) {
          expect(name).toMatch(label);
          expect(name.length).toBeLessThanOrEqual(longest);
        }
        expect(new Set(names).size).toBe(names.length);
      },
    ),
  );
});

it('keeps good names and numbers the second of a kind', () => {
  const book = new NameBook();
  expect([book.take('bert'), book.take('bert'), book.take('Llama 3.1/70B'), book.take('7b')]).toEqual([
    'bert',
    'bert-2',
    'llama-3-1-70b',
    'x-7b',
  ]);
  expect(labelFrom('a; rm -rf /')).toBe('a-rm-rf');
});

it('knows what a cluster may call a node', () => {
  expect(isNodeName('ip-10-0-0-1.us-east-2.compute.internal')).toBe(true);
  for (const name of ['', '-x', 'a..b', 'GPU', 'a b', 'a\n', '--all']) expect(isNodeName(name)).toBe(false);
});
