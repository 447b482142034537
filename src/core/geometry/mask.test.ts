import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countUnits, covers, overlaps, unitRuns, wholeGrid } from './mask.js';

describe('masks', () => {
  it('cover the units of a placement', () => {
    expect(covers(4, 2)).toBe(0b110000);
    expect(covers(0, 12)).toBe(wholeGrid(12));
    expect(wholeGrid(30)).toBe(2 ** 30 - 1);
  });

  it('overlap exactly when the intervals do', () => {
    const interval = fc.record({ start: fc.nat(11), size: fc.integer({ min: 1, max: 12 }) });
    fc.assert(
      fc.property(interval, interval, (a, b) => {
        const apart = a.start + a.size <= b.start || b.start + b.size <= a.start;
        expect(overlaps(covers(a.start, a.size), covers(b.start, b.size))).toBe(!apart);
      }),
    );
  });

  it('split into runs that add up to the mask', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 30 - 1), (mask) => {
        const runs = unitRuns(mask);
        expect(runs.reduce((sum, [first, last]) => sum + covers(first, last - first + 1), 0)).toBe(mask);
        expect(runs.reduce((sum, [first, last]) => sum + last - first + 1, 0)).toBe(countUnits(mask));
      }),
    );
  });
});
