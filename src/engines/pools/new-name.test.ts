import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nameOfRecut } from './new-name.js';

it.each<[string, Parameters<typeof nameOfRecut>[1], number, string]>([
  ['gpu', '2g.48gb', 1, 'gpu-2g-48gb'],
  ['gpu-1g-24gb', '2g.48gb', 1, 'gpu-2g-48gb'],
  ['gpu-1g-24gb-shared', '1g.24gb', 1, 'gpu-1g-24gb'],
  ['gpu-1g-24gb-gfx', null, 1, 'gpu-whole'],
  ['gpu-whole', '1g.24gb+gfx', 4, 'gpu-1g-24gb-gfx-shared'],
  ['gpu-2g-48gb', '2g.48gb', 1, 'gpu-2g-48gb-2'],
  ['gpu', [['2g.48gb', '1g.24gb', '1g.24gb']], 1, 'gpu-2g-48gb-1g-24gb'],
])('%s cut into %j for %i is %s', (old, cut, sharers, wanted) => {
  expect(nameOfRecut(old, cut, sharers)).toBe(wanted);
});

it('is always a name that GKE takes, and another than the old one', () => {
  const names = fc.stringMatching(/^[a-z][a-z0-9-]{0,37}[a-z0-9]$/);
  const sizes = fc.constantFrom('1g.24gb', '2g.48gb', '1g.24gb+me.all', null);
  fc.assert(
    fc.property(names, sizes, fc.integer({ min: 1, max: 4 }), (old, cut, sharers) => {
      const name = nameOfRecut(old, cut, sharers);
      expect(name).toMatch(/^[a-z][a-z0-9-]{0,39}$/);
      expect(name).not.toBe(old);
    }),
  );
});
