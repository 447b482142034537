import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isoTime } from './iso-time.js';

it('writes moments as Date does', () => {
  const range = { min: Date.UTC(1000, 0, 1), max: Date.UTC(9999, 11, 31) };
  fc.assert(
    fc.property(fc.integer(range), (timeMs) => {
      expect(isoTime(timeMs)).toBe(new Date(timeMs).toISOString());
    }),
    { examples: [[0], [Date.UTC(2024, 1, 29, 23, 59, 59, 999)], [Date.UTC(2100, 2, 1)], [-1]] },
  );
});
