import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonPieces } from './json.js';

it('the pieces are the JSON of the whole', () => {
  const answer = fc.oneof(
    fc.dictionary(fc.string(), fc.jsonValue()),
    fc.record({ ok: fc.boolean(), left: fc.constant(undefined), list: fc.array(fc.jsonValue()) }),
  );
  fc.assert(
    fc.property(answer, (some) => {
      expect(JSON.parse([...jsonPieces(some)].join(''))).toEqual(JSON.parse(JSON.stringify(some)));
    }),
  );
});

it('a list has a line per entry', () => {
  expect([...jsonPieces({ ok: true, list: [{ a: 1 }, { a: [2] }], none: [] })].join('')).toBe(
    '{\n  "ok": true,\n  "list": [\n    {"a":1},\n    {"a":[2]}\n  ],\n  "none": []\n}\n',
  );
});

it('a long list comes in many pieces', () => {
  const list = Array.from({ length: 20_000 }, (_, index) => ({ index }));
  const pieces = [...jsonPieces({ list })];
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(100_000);
  expect(JSON.parse(pieces.join(''))).toEqual({ list });
});
