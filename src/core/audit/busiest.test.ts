import fc from 'fast-check';
import { expect, it } from 'vitest';
import { busiestMs, runsAt } from './busiest.js';

it('finds the moment of the greatest weight', () => {
  expect(busiestMs([])).toBeNull();
  const jobs = [
    { firstMs: 0, lastMs: 10, weight: 1 },
    { firstMs: 10, lastMs: 20, weight: 1 },
    { firstMs: 15, lastMs: 30, weight: 3 },
  ];
  expect(busiestMs(jobs)).toBe(15);
});

it('is never below the weight at any moment', () => {
  const run = fc.record({ firstMs: fc.nat(50), length: fc.nat(20), weight: fc.nat(5) });
  fc.assert(
    fc.property(fc.array(run, { minLength: 1 }), fc.nat(70), (made, otherMs) => {
      const runs = made.map(({ firstMs, length, weight }) => ({ firstMs, lastMs: firstMs + length, weight }));
      const weightAt = (atMs: number): number =>
        runs.filter((one) => runsAt(one, atMs)).reduce((sum, { weight }) => sum + weight, 0);
      expect(weightAt(busiestMs(runs) ?? -1)).toBeGreaterThanOrEqual(weightAt(otherMs));
    }),
  );
});
