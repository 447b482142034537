import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SampleBag } from './sample-bag.js';
import { statsOf, type Stats } from './stats.js';

const whole = fc.integer({ min: 0, max: 200_000 });
const micro = fc.integer({ min: 0, max: 1_000_000 }).map((value) => value / 1e6);
const milli = fc.integer({ min: 0, max: 100_000_000 }).map((value) => value / 1e3);
const any = fc.double({ min: 0, max: 1e9, noNaN: true }).map((value) => value + 0);
const values = fc.oneof(
  ...[whole, micro, milli, any].map((kind) => fc.array(kind, { maxLength: 300 })),
  fc.array(fc.oneof(whole, micro, milli, any), { maxLength: 300 }),
);

function bagOf(samples: readonly number[]): SampleBag {
  const bag = new SampleBag();
  for (const sample of samples) bag.add(sample);
  return bag;
}

function exactly(samples: readonly number[]): Stats | null {
  return statsOf([...samples].sort((a, b) => a - b));
}

function expectSame(found: Stats | null, wanted: Stats | null): void {
  expect(found?.samples).toBe(wanted?.samples);
  expect(found?.top).toEqual(wanted?.top);
  expect(found?.max).toBe(wanted?.max);
  for (const key of ['mean', 'p50', 'p75', 'p95', 'p99'] as const) {
    if (wanted !== null) expect(found?.[key]).toBeCloseTo(wanted[key], 6);
  }
}

describe('SampleBag', () => {
  it('is nothing when empty, which is not 0', () => {
    expect(new SampleBag().finish()).toBeNull();
  });

  it('keeps every value to the last bit, whatever comes after what', () => {
    fc.assert(fc.property(values, (samples) => expectSame(bagOf(samples).finish(), exactly(samples))));
  });

  it('joins bags of any kinds', () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 4 }), (parts) => {
        const [first, ...others] = parts.map(bagOf);
        expectSame(first!.finish(others), exactly(parts.flat()));
        const joined = new SampleBag();
        for (const part of parts) joined.addAll(bagOf(part));
        expectSame(joined.finish(), exactly(parts.flat()));
      }),
    );
  });

  it('scales what it takes from another', () => {
    const ratios = new SampleBag();
    ratios.addAll(bagOf([0, 50, 100]), 100);
    expect(ratios.finish()).toMatchObject({ samples: 3, p50: 0.5, max: 1 });
  });

  it('grows past many chunks', () => {
    const samples = Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 100_003);
    expectSame(bagOf([...samples, 0.5]).finish(), exactly([...samples, 0.5]));
  });
});
