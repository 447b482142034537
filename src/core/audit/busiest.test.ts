import fc from 'fast-check';
import { expect, it } from 'vitest';
import { busiestMs, runsAt } from './busiest.js';

it('finds the moment of the greatest weight', () => {
  expect(busiestMs([])).toBeNull();
  const jobs = [
    { spans: [{ startMs: 0, endMs: 10 }], weight: 1 },
    { spans: [{ startMs: 10, endMs: 20 }], weight: 1 },
    { spans: [{ startMs: 15, endMs: 30 }], weight: 3 },
  ];
  expect(busiestMs(jobs)).toBe(15);
  const nightly = [0, 100, 200].map((startMs) => ({ startMs, endMs: startMs + 10 }));
  const daily = [50, 150].map((startMs) => ({ startMs, endMs: startMs + 40 }));
  expect(
    busiestMs([
      { spans: nightly, weight: 2 },
      { spans: daily, weight: 1 },
    ]),
  ).toBe(0);
});

it('is never below the weight at any moment', () => {
  const run = fc.record({ firstMs: fc.nat(50), length: fc.nat(20), weight: fc.nat(5) });
  fc.assert(
    fc.property(fc.array(run, { minLength: 1 }), fc.nat(70), (made, otherMs) => {
      const runs = made.map(({ firstMs, length, weight }) => ({
        spans: [{ startMs: firstMs, endMs: firstMs + length }],
        weight,
      }));
      const weightAt = (atMs: number): number =>
        runs.filter(({ spans }) => runsAt(spans, atMs)).reduce((sum, { weight }) => sum + weight, 0);
      expect(weightAt(busiestMs(runs) ?? -1)).toBeGreaterThanOrEqual(weightAt(otherMs));
    }),
  );
});
