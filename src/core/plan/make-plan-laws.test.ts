/** What must hold of every plan, judged by code that shares nothing with the search. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { modelByKey } from '#core/catalogue/catalogue';
import { pack } from '#core/packing/pack';
import type { Legal, Profile } from '../../../test/support/check-bound.js';
import { seatingComplaints } from '../../../test/support/check-layouts.js';
import { provenCost } from '../../../test/support/check-prices.js';
import { loadPlanOf, need, sizesPerNode, type PlanOf } from '../../../test/support/plan-examples.js';
import type { ExistingSlice } from './documents.js';

const long = process.env['MICA_LONG'] === '1';
let planOf: PlanOf;

beforeAll(async () => {
  planOf = await loadPlanOf();
});

describe('any plan', () => {
  const anyNeed = fc.record({
    count: fc.integer({ min: 1, max: 12 }),
    memoryMiB: fc.constantFrom(2_000, 4_500, 9_000, 15_000, 21_000, 40_000, 70_000),
    share: fc.option(fc.constantFrom(0.1, 0.3, 0.5), { nil: undefined }),
    gpus: fc.constantFrom(1, 1, 1, 1, 2, 4),
    wish: fc.constantFrom({}, {}, {}, { media: true }, { graphics: true }),
    isolation: fc.constantFrom('hardware' as const, 'hardware' as const, 'shared' as const),
    priority: fc.nat(1),
  });
  const anyFleet = fc.record({
    nodes: fc.array(
      fc.record({
        model: fc.constantFrom('rtx-pro-6000-blackwell-server', 'h100-80gb-sxm', 'a30-24gb'),
        gpus: fc.integer({ min: 1, max: 4 }),
        isBusy: fc.boolean(),
      }),
      { maxLength: 3 },
    ),
    rent: fc.uniqueArray(
      fc.record({
        machineType: fc.constantFrom('rtx-1', 'h100-1', 'a30-4', 'rtx-8'),
        max: fc.integer({ min: 1, max: 3 }),
      }),
      { maxLength: 3, selector: ({ machineType }) => machineType },
    ),
  });

  it('seats everybody once on legal layouts, and its proof proves its bound', () => {
    fc.assert(
      fc.property(
        fc.array(anyNeed, { minLength: 1, maxLength: 4 }),
        anyFleet,
        fc.boolean(),
        (wanted, { nodes, rent }, uniform) => {
          const needs = wanted.map(({ share, wish, ...rest }, index) =>
            need(`need-${index}`, rest.count, {
              ...rest,
              ...wish,
              ...(share === undefined ? {} : { compute: { share } }),
            }),
          );
          const plan = planOf(
            {
              nodes: nodes.map(({ isBusy, ...node }, index) => ({
                ...node,
                name: `node-${index}`,
                ...(isBusy ? { layouts: [{ index: 0, slices: busyOn(node.model) }] } : {}),
              })),
              rent,
            },
            needs,
            uniform,
          );
          if (uniform) expect(sizesPerNode(plan)).toBeLessThanOrEqual(1);
          expect(seatingComplaints(profilesOf, needs, plan)).toEqual([]);
          if (plan.proof.kind !== 'prices') throw new Error('a plan has a price proof');
          expect(provenCost(profilesOf, plan.proof, isLegalOn)).toBeCloseTo(plan.proof.lowerBound, 5);
          if (plan.proof.objective === 'usdPerHour')
            expect(plan.cost.usdPerHour ?? 0).toBeGreaterThanOrEqual(plan.proof.lowerBound - 1e-6);
          if (plan.proof.objective === 'gpus')
            expect(plan.gpus).toBeGreaterThanOrEqual(plan.proof.lowerBound - 1e-6);
        },
      ),
      { numRuns: long ? 1000 : 60 },
    );
  });

  it('uses as few cards as the closed form where there is one kind of card', () => {
    const sizes = { '1g.10gb': 8_000, '1g.20gb': 17_000, '3g.40gb': 35_000, '7g.80gb': 60_000 } as const;
    fc.assert(
      fc.property(
        fc.record({
          '1g.10gb': fc.nat(30),
          '1g.20gb': fc.nat(30),
          '3g.40gb': fc.nat(30),
          '7g.80gb': fc.nat(5),
        }),
        (demand) => {
          const needs = Object.entries(demand)
            .filter(([, count]) => count > 0)
            .map(([profile, count]) =>
              need(profile, count, { memoryMiB: sizes[profile as keyof typeof sizes] }),
            );
          if (needs.length === 0) return;
          const model = modelByKey('h100-80gb-sxm');
          if (model?.kind !== 'mig') throw new Error('no H100');
          expect(planOf({ nodes: [], rent: [{ machineType: 'h100-1' }] }, needs).gpus).toBe(
            pack(model, demand).gpus,
          );
        },
      ),
      { numRuns: long ? 500 : 30 },
    );
  });
});

function profilesOf(model: string): readonly Profile[] {
  const known = modelByKey(model);
  return known?.kind === 'mig' ? known.profiles : [];
}

/** Whether a card has the engines that so many instances own, and may hold so many of each. */
function isLegalOn(model: string): Legal {
  const known = modelByKey(model);
  if (known?.kind !== 'mig') return () => true;
  const whole = known.profiles.find(({ sizeUnits, attribute }) => {
    return sizeUnits === known.gridUnits && attribute === null;
  });
  return (counts) =>
    known.profiles.every(({ name, maxCount }) => (counts[name] ?? 0) <= maxCount) &&
    (['decoders', 'encoders', 'jpeg', 'ofa'] as const).every((engine) => {
      const used = known.profiles.reduce(
        (sum, { name, engines }) => sum + (counts[name] ?? 0) * (engines[engine] ?? 0),
        0,
      );
      return used <= (whole?.engines[engine] ?? Infinity);
    });
}

/** A busy slice that takes engines, or a place in the middle, from what comes beside it. */
function busyOn(model: string): readonly ExistingSlice[] {
  const slices: Readonly<Record<string, ExistingSlice>> = {
    'rtx-pro-6000-blackwell-server': { profile: '1g.24gb+me.all', start: 3, size: 3, busy: true },
    'h100-80gb-sxm': { profile: '1g.10gb+me', start: 2, size: 1, busy: true },
  };
  return [slices[model] ?? { profile: '1g.6gb', start: 1, size: 1, busy: true }];
}
