import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slicesOn } from '../../../test/support/leasable-slices.js';
import {
  amountOf,
  cheapestWithin,
  isWithin,
  leftOf,
  limitOf,
  noQuota,
  quotaInWords,
  type Quota,
} from './quota.js';
import type { LeasableSlice } from './slice.js';

const gib = (amount: number): number => amount * 1024;

describe('a quota', () => {
  const [small, large] = slicesOn('0 1g.24gb:0 2g.48gb:6');
  if (small === undefined || large === undefined) throw new Error('no slices');

  it('limits what it names, and nothing else', () => {
    const limit = limitOf({ slices: 2, memoryMiB: null, share: 0.5 }, 2);
    expect(limit).toEqual({ slices: 2, memoryMiB: Infinity, cards: 1 });
    expect(isWithin(amountOf([small, large]), limit)).toBe(true);
    expect(isWithin(amountOf([small, small, small]), limit)).toBe(false);
    expect(isWithin(amountOf([small, large]), limitOf({ ...noQuota, share: 0.5 }, 1))).toBe(false);
    expect(leftOf(limit, amountOf([large]))).toEqual({ slices: 1, memoryMiB: Infinity, cards: 0.5 });
  });

  it('of memory holds no slice of unknown memory, and one of slices does', () => {
    const unknown = { ...small, memoryMiB: null };
    expect(cheapestWithin([unknown], 1, limitOf({ ...noQuota, memoryMiB: gib(1000) }, 1))).toBe(null);
    expect(cheapestWithin([unknown], 1, limitOf({ ...noQuota, slices: 1 }, 1))).toEqual([unknown]);
    expect(leftOf(limitOf(noQuota, 1), amountOf([unknown])).memoryMiB).toBe(Infinity);
  });

  it('by share is not missed by the dust of adding fractions', () => {
    const third = { ...small, sizeUnits: 1, gridUnits: 10 };
    expect(isWithin(amountOf([third, third, third]), limitOf({ ...noQuota, share: 0.3 }, 1))).toBe(true);
  });

  it('looks at memory and share together', () => {
    const slice = (id: string, memoryMiB: number, sizeUnits: number): LeasableSlice => ({
      ...small,
      id,
      memoryMiB,
      sizeUnits,
    });
    const mixed = [slice('a', 10, 6), slice('b', 20, 2), slice('c', 20, 2), slice('d', 10, 6)];
    const limit = { slices: 2, memoryMiB: 30, cards: 8 / 12 };
    expect(cheapestWithin(mixed, 2, limit)?.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(cheapestWithin(mixed, 2, { ...limit, memoryMiB: 29 })).toBe(null);
  });

  it('is said in words', () => {
    expect(quotaInWords(noQuota)).toBe('no limit');
    expect(quotaInWords({ slices: 1, memoryMiB: gib(40), share: 0.125 })).toBe(
      '1 slice, 40 GiB and 12.5 % of the machine',
    );
    expect(quotaInWords({ slices: 0, memoryMiB: null, share: null })).toBe('0 slices');
  });

  it('finds a choice where there is one, as trying all of them does', () => {
    const slices = fc.array(
      fc.record({ memoryMiB: fc.integer({ min: 1, max: 4 }), sizeUnits: fc.integer({ min: 1, max: 4 }) }),
      { maxLength: 7 },
    );
    const quotas = fc.record({
      slices: fc.option(fc.integer({ min: 0, max: 4 })),
      memoryMiB: fc.option(fc.integer({ min: 1, max: 10 })),
      share: fc.option(fc.integer({ min: 1, max: 12 }).map((units) => units / 12)),
    });
    fc.assert(
      fc.property(slices, fc.integer({ min: 0, max: 4 }), quotas, (sizes, count, quota: Quota) => {
        const all = sizes.map((size, index) => ({ ...small, id: `s${index}`, ...size }));
        const limit = limitOf(quota, 1);
        const possible = choicesOf(all, count).filter((choice) => isWithin(amountOf(choice), limit));
        const found = cheapestWithin(all, count, limit);
        expect(found !== null).toBe(possible.length > 0);
        if (found === null) return;
        expect(new Set(found).size).toBe(count);
        expect(isWithin(amountOf(found), limit)).toBe(true);
        if (quota.memoryMiB === null && quota.share === null) return;
        expect(amountOf(found).memoryMiB).toBe(
          Math.min(...possible.map((choice) => amountOf(choice).memoryMiB)),
        );
      }),
    );
  });
});

function choicesOf(slices: readonly LeasableSlice[], count: number): readonly (readonly LeasableSlice[])[] {
  if (count === 0) return [[]];
  return slices.flatMap((first, index) =>
    choicesOf(slices.slice(index + 1), count - 1).map((rest) => [first, ...rest]),
  );
}
