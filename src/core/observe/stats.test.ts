import { describe, expect, it } from 'vitest';
import { quantile, statsOf } from './stats.js';

describe('stats', () => {
  it('interpolate between the two nearest samples', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    const hundred = Array.from({ length: 101 }, (_, index) => index);
    expect(statsOf(hundred)).toEqual({
      ...{ samples: 101, mean: 50, p50: 50, p75: 75, p95: 95, p99: 99, max: 100 },
      top: [95, 96, 97, 98, 99, 100],
    });
    expect(statsOf([0, 10])).toMatchObject({ p50: 5, p95: 9.5, p99: 9.9, max: 10 });
  });

  it('of one sample are that sample, and of none nothing', () => {
    expect(statsOf([7])).toMatchObject({ samples: 1, p50: 7, p99: 7, max: 7, top: [7] });
    expect(statsOf([])).toBeNull();
  });
});
