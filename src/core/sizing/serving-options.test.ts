import fc from 'fast-check';
import { expect, it } from 'vitest';
import { models } from '#core/catalogue/catalogue';
import { card, need } from '../../../test/support/sizing-examples.js';
import { profilesFor } from './profiles-for.js';
import { servingOptions } from './serving-options.js';

it('slices smallest first, with the replicas that share one', () => {
  const options = servingOptions(
    need({ memoryMiB: 7000, isolation: 'shared' }),
    card('rtx-pro-6000-blackwell-server'),
  );
  expect(
    options.map(({ profile, replicasPerSlice }) => [
      profile === 'whole' ? profile : profile.name,
      replicasPerSlice,
    ]),
  ).toEqual([
    ['1g.24gb', 3],
    ['2g.48gb', 6],
    ['4g.96gb', 12],
  ]);
});

it('the whole card where no slice will do, nothing where the card will not do either', () => {
  expect(servingOptions(need({ gpus: 8 }), card('h100-80gb-sxm'))).toEqual([
    { profile: 'whole', replicasPerSlice: 1 },
  ]);
  expect(servingOptions(need({ memoryMiB: 90_000 }), card('h100-80gb-sxm'))).toEqual([]);
  expect(servingOptions(need({ graphics: true }), card('h100-80gb-sxm'))).toEqual([]);
});

it('agrees with the answer in words', () => {
  const wishes = fc.record({
    memoryMiB: fc.integer({ min: 1, max: 300_000 }),
    compute: fc.record({ share: fc.double({ min: 0, max: 1.2, noNaN: true }) }),
    p2p: fc.boolean(),
    media: fc.boolean(),
    graphics: fc.boolean(),
    isolation: fc.constantFrom('hardware' as const, 'shared' as const),
  });
  fc.assert(
    fc.property(wishes, fc.constantFrom(...models()), (wish, model) => {
      const options = servingOptions(need(wish), model);
      const { fits, verdict } = profilesFor(need(wish), model);
      const expected =
        verdict.kind === 'whole-gpu'
          ? [{ profile: 'whole', replicasPerSlice: verdict.replicasPerGpu }]
          : fits.map(({ profile, replicasPerSlice }) => ({ profile, replicasPerSlice }));
      expect(options).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});
