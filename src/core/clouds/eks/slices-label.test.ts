import fc from 'fast-check';
import { expect, it } from 'vitest';
import { slicesAsLabel, slicesFromLabel } from './slices-label.js';

it('a label value says what a node offers, and can be read again', () => {
  const profile = fc.constantFrom('1g.24gb', '2g.48gb', '1g.24gb+me.all', '1g.24gb-me', null);
  const slices = fc.uniqueArray(fc.record({ profile, perNode: fc.integer({ min: 1, max: 56 }) }), {
    minLength: 1,
    maxLength: 3,
    selector: (one) => one.profile,
  });
  fc.assert(
    fc.property(slices, (some) => {
      const text = slicesAsLabel(some);
      expect(text).toMatch(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
      expect(slicesFromLabel(text)).toEqual(some);
    }),
  );
  for (const strange of [undefined, '', 'x', '4x1g.24gb_', '4y1g.24gb'])
    expect(slicesFromLabel(strange)).toBeNull();
});
