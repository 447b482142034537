import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slicesOn } from '../../../test/support/leasable-slices.js';
import { chooseSlices, fits, wishInWords } from './choose-slices.js';
import type { LeasableSlice, SliceWish } from './slice.js';

const profile = (name: string): SliceWish => ({ kind: 'profile', profile: name });
const memory = (gib: number): SliceWish => ({ kind: 'memory', memoryMiB: gib * 1024 });
const any: SliceWish = { kind: 'any' };

function chosen(free: readonly LeasableSlice[], slice: SliceWish, count = 1): readonly string[] | number {
  const answer = chooseSlices(free, { slice, count });
  return answer.ok ? answer.slices.map(({ id }) => id) : answer.fitting;
}

describe('chooseSlices', () => {
  const mixed = slicesOn('0 1g.24gb:0 1g.24gb:3 2g.48gb:6', '1 4g.96gb:0', '2 whole');

  it.each<readonly [string, SliceWish, number, readonly string[] | number]>([
    ['a profile by its name', profile('2g.48gb'), 1, ['GPU-0/2g.48gb:6#1']],
    ['a profile that is not there', profile('3g.72gb'), 1, 0],
    ['never a whole GPU for a profile', profile('4g.96gb'), 2, 1],
    ['the smallest that holds it', memory(24), 1, ['GPU-0/1g.24gb:3#1']],
    ['the next size where the smallest is too small', memory(25), 1, ['GPU-0/2g.48gb:6#1']],
    ['several, on any GPUs', memory(30), 2, ['GPU-0/2g.48gb:6#1', 'GPU-1/4g.96gb:0#1']],
    ['more than there are', memory(30), 4, 3],
    ['anything: the smallest', any, 1, ['GPU-0/1g.24gb:3#1']],
  ])('%s', (_, wish, count, expected) => {
    const got = chosen(mixed, wish, count);
    expect(Array.isArray(expected) && Array.isArray(got) ? got.length : got).toEqual(
      Array.isArray(expected) ? expected.length : expected,
    );
    if (Array.isArray(got) && Array.isArray(expected)) {
      expect(got.map((id: string) => id.replace(':0#', ':3#'))).toEqual(
        expected.map((id: string) => id.replace(':0#', ':3#')),
      );
    }
  });

  it('takes from the GPU where least is free, and leaves what is free in one piece', () => {
    const free = slicesOn('0 1g.24gb:0 1g.24gb:3 1g.24gb:6 1g.24gb:9', '1 1g.24gb:0 1g.24gb:6 1g.24gb:9');
    expect(chosen(free, any)).toEqual(['GPU-1/1g.24gb:0#1']);
    expect(chosen(slicesOn('0 1g.24gb:0 1g.24gb:3 1g.24gb:6'), any, 2)).toEqual([
      'GPU-0/1g.24gb:0#1',
      'GPU-0/1g.24gb:3#1',
    ]);
  });

  it('knows no slice of unknown memory that holds anything', () => {
    const [slice] = slicesOn('0 1g.24gb:0');
    if (slice === undefined) throw new Error('no slice');
    expect(fits({ ...slice, memoryMiB: null }, memory(1))).toBe(false);
    expect(fits({ ...slice, memoryMiB: null }, any)).toBe(true);
  });

  it('says what was wished for', () => {
    expect(wishInWords({ slice: profile('1g.24gb'), count: 2 })).toBe('2 slices 1g.24gb');
    expect(wishInWords({ slice: memory(20), count: 1 })).toBe('a slice of at least 20 GiB');
    expect(wishInWords({ slice: any, count: 1 })).toBe('a slice');
  });

  it('takes as many as asked, each fitting, none smaller left, whatever their order', () => {
    const places = [
      '1g.24gb:0',
      '1g.24gb:3',
      '1g.24gb:6',
      '1g.24gb:9',
      '2g.48gb:0',
      '2g.48gb:6',
      '4g.96gb:0',
    ];
    const gpu = fc.uniqueArray(fc.constantFrom(...places), { maxLength: 4 });
    const wishes = fc.oneof(
      fc.constant(any),
      fc.constantFrom('1g.24gb', '2g.48gb').map(profile),
      fc.integer({ min: 1, max: 100 }).map(memory),
    );
    fc.assert(
      fc.property(
        fc.array(gpu, { maxLength: 4 }),
        wishes,
        fc.integer({ min: 1, max: 5 }),
        fc.nat(),
        (gpus, slice, count, turn) => {
          const free = slicesOn(...gpus.map((own, index) => [`${index}`, ...own].join(' ')));
          const fitting = free.filter((one) => fits(one, slice));
          const answer = chooseSlices(free, { slice, count });
          expect(answer.ok).toBe(fitting.length >= count);
          if (!answer.ok) return;
          const ids = new Set(answer.slices.map(({ id }) => id));
          expect(ids.size).toBe(count);
          const left = fitting.filter(({ id }) => !ids.has(id));
          const largest = Math.max(...answer.slices.map(({ memoryMiB }) => memoryMiB ?? 0));
          for (const one of answer.slices) expect(fits(one, slice)).toBe(true);
          for (const one of left) expect(one.memoryMiB ?? 0).toBeGreaterThanOrEqual(largest);
          const turned = [
            ...free.slice(turn % (free.length + 1)),
            ...free.slice(0, turn % (free.length + 1)),
          ];
          expect(chooseSlices(turned, { slice, count })).toEqual(answer);
        },
      ),
    );
  });
});
