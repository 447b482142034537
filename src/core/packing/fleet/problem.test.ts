import { describe, expect, it } from 'vitest';
import { modelByKey } from '#core/catalogue/catalogue';
import { costUnitOf, type Pool } from './problem.js';

describe('the cost unit', () => {
  it('is the common divisor of decimal prices, dust of binary fractions or not', () => {
    expect(unitOf(0.1 + 0.2, 0.2)).toBe(0.1);
    expect(unitOf(4.5001, 9.0002)).toBe(4.5001);
    expect(unitOf(0, 3)).toBe(3);
    expect(unitOf(null, 34, 55)).toBe(1);
  });

  it('is none where a price is no decimal figure: ten thousand machines would be rounded past their cost', () => {
    expect(unitOf(4.5000000009)).toBe(0);
    expect(unitOf(1 / 3)).toBe(0);
    expect(unitOf(1e-7, 1)).toBe(0);
    expect(unitOf(1e-10, 1)).toBe(0);
  });
});

function unitOf(...prices: readonly (number | null)[]): number {
  const model = modelByKey('a30-24gb');
  if (model === undefined) throw new Error('no A30');
  const pools = prices.map((usdPerHour, index): Pool => ({
    name: `pool-${index}`,
    model,
    gpusEach: 1,
    machines: null,
    owned: false,
    usdPerHour,
    uniform: false,
    taken: [],
  }));
  return costUnitOf(pools, 'usdPerHour');
}
