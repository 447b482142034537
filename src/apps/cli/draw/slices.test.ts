/** Slices without places: they fit, and a drawing never says that something is free or in use that is not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawSlices } from './slices.js';
import { wrapped } from './wrapped.js';

const slices = (users: readonly string[], free: number, gone = 0) => ({
  label: '1g.24gb',
  users,
  free,
  gone,
  remark: '',
});

describe('slices of which only the number is known', () => {
  it('a box each, with who is in it', () => {
    expect(drawSlices([slices(['chat-0'], 1)], 60)).toEqual([
      '1g.24gb  [      chat-0      ][       free       ]   1/2 used',
    ]);
  });

  it('many: a bar, and names below it', () => {
    const users = Array.from({ length: 30 }, (_, index) => `pod-${index}`);
    expect(drawSlices([slices(users, 26)], 60)).toEqual([
      '1g.24gb  [###################.................]   30/56 used',
      '         pod-0, pod-1, pod-2, pod-3, pod-4 and 25 more',
    ]);
  });

  it('fits, and shows what there is', () => {
    const count = fc.nat({ max: 200 });
    fc.assert(
      fc.property(count, count, count, fc.integer({ min: 60, max: 200 }), (used, free, gone, columns) => {
        const users = Array.from({ length: used }, (_, index) => `p${index}`);
        const [row = '', ...others] = drawSlices([slices(users, free, gone)], columns);
        expect(Math.max(row.length, ...others.map((line) => line.length))).toBeLessThanOrEqual(columns);
        const isBar = used + free + gone > 1 && (row.match(/[[(]/g) ?? []).length === 1;
        if (isBar) {
          expect(row.includes('#')).toBe(used > 0);
          expect(/\.(?!24gb)/.test(row)).toBe(free > 0);
          expect(row.includes('x')).toBe(gone > 0);
        }
      }),
    );
  });
});

it('a sentence on lines: nothing is lost', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1 }), (words) => {
      const lines = wrapped(words.join(' '), 20, '  ').split('\n');
      expect(lines.join(' ').split(/ +/)).toEqual(words);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(20);
    }),
  );
});
