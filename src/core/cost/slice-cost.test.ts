import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { migModels } from '#core/catalogue/catalogue';
import type { MigModel, Profile } from '#core/catalogue/model';
import { hoursPerMonth, sliceUsdPerHour, usdPerMonth } from './slice-cost.js';

describe('the price of a slice', () => {
  it.each([
    ['rtx-pro-6000-blackwell-server', '1g.24gb', 0.25],
    ['rtx-pro-6000-blackwell-server', '2g.48gb', 0.5],
    ['h100-80gb-sxm', '1g.10gb', 0.125],
    ['h100-80gb-sxm', '1g.20gb', 0.25],
    ['h100-80gb-sxm', '3g.40gb', 0.5],
    ['h100-80gb-sxm', '7g.80gb', 1],
    ['a30-24gb', '1g.6gb', 0.25],
  ])('%s %s is %d of its card', (key, name, share) => {
    const model = migModels().find((one) => one.key === key);
    const profile = model?.profiles.find((one) => one.name === name);
    if (model === undefined || profile === undefined)
      throw new Error(`${key} ${name} is not in the catalogue`);
    expect(sliceUsdPerHour(1, model, profile)).toBe(share);
  });

  it('the slices of a layout cost the part of the card that they cover, all of it when the grid is full', () => {
    const arbitrary = fc.record({
      model: fc.constantFrom(...migModels()),
      picks: fc.array(fc.nat({ max: 99 }), { maxLength: 30 }),
      usdPerHour: fc.integer({ min: 0, max: 100 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ model, picks, usdPerHour }) => {
        const { profiles, covered } = randomLayout(model, picks);
        const sum = profiles.reduce(
          (total, profile) => total + sliceUsdPerHour(usdPerHour, model, profile),
          0,
        );
        expect(sum).toBeCloseTo((usdPerHour * covered) / model.gridUnits, 9);
        if (covered === model.gridUnits) expect(sum).toBeCloseTo(usdPerHour, 9);
        expect(sum).toBeLessThanOrEqual(usdPerHour + 1e-9);
      }),
    );
  });
});

it('a month has 730 hours', () => {
  expect(usdPerMonth(4.5001)).toBeCloseTo(3285.073, 6);
  expect(hoursPerMonth * 12).toBe(365 * 24);
});

/** Takes the picked placements in turn, leaving out what overlaps; counts the units that they cover. */
function randomLayout(model: MigModel, picks: readonly number[]): { profiles: Profile[]; covered: number } {
  const all = model.profiles.flatMap((profile) => profile.starts.map((start) => ({ profile, start })));
  const units = new Set<number>();
  const profiles: Profile[] = [];
  for (const pick of picks) {
    const placement = all[pick % all.length];
    if (placement === undefined) continue;
    const own = Array.from({ length: placement.profile.sizeUnits }, (_, index) => placement.start + index);
    if (own.some((unit) => units.has(unit))) continue;
    for (const unit of own) units.add(unit);
    profiles.push(placement.profile);
  }
  return { profiles, covered: units.size };
}
