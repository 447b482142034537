import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closest, editDistance } from './edit-distance.js';

describe('editDistance', () => {
  test.each([
    ['', '', 0],
    ['h100', 'h100', 0],
    ['h10', 'h100', 1],
    ['1g.1ogb', '1g.10gb', 1],
    ['1g.10bg', '1g.10gb', 1],
    ['kitten', 'sitting', 3],
  ])('%j to %j is %i', (a, b, distance) => expect(editDistance(a, b)).toBe(distance));

  test('is symmetric, zero only for equal words, and never more than the longer word', () => {
    const word = fc.string({ maxLength: 12, unit: fc.constantFrom('a', '1', 'g', '-') });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(editDistance(b, a)).toBe(distance);
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});

test('closest names the nearest first, each once, and nothing far away', () => {
  expect(closest('a30-24bg', ['a30-24gb', 'a10-24gb', 'a30-24gb', 'h100-80gb-sxm'])).toEqual([
    'a30-24gb',
    'a10-24gb',
  ]);
  expect(closest('banana', ['a30-24gb', 'l4-24gb'])).toEqual([]);
});
