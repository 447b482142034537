import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import { modelByKey } from '#core/catalogue/catalogue';
import type { PriceTable } from '#core/cost/price-table';
import type { Solve } from '#core/packing/linear-program';
import { pack } from '#core/packing/pack';
import type { Legal, Profile } from '../../../test/support/check-bound.js';
import { seatingComplaints } from '../../../test/support/check-layouts.js';
import { provenCost } from '../../../test/support/check-prices.js';
import type { ExistingSlice, Fleet, FleetNode, Need } from './documents.js';
import { makePlan } from './make-plan.js';
import type { Plan } from './plan.js';

const long = process.env['MICA_LONG'] === '1';
let solve: Solve;

beforeAll(async () => {
  ({ solve } = await loadSolver());
});

const prices: PriceTable = [
  priced('rtx-1', 'rtx-pro-6000-blackwell-server', 1, 4.5),
  priced('rtx-8', 'rtx-pro-6000-blackwell-server', 8, 34),
  priced('h100-1', 'h100-80gb-sxm', 1, 7),
  priced('h100-8', 'h100-80gb-sxm', 8, 55),
  priced('a30-4', 'a30-24gb', 4, 3),
  { ...priced('h200-8', 'h200-141gb', 8, 0), usdPerHour: null },
];

describe('a plan', () => {
  it('puts four 24 GB needs on one card and says what whole cards would cost', () => {
    const plan = planOf({ nodes: [], rent: [{ machineType: 'rtx-1' }] }, [
      need('bert', 4, { memoryMiB: 20_000 }),
    ]);
    expect(plan.layouts.map(({ node, placements }) => [node, placements.length])).toEqual([['rtx-1-1', 4]]);
    expect(plan).toMatchObject({
      objective: 'usdPerHour',
      gpus: 1,
      cost: { usdPerHour: 4.5, unknown: [] },
      machines: [{ machineType: 'rtx-1', count: 1 }],
      unplaced: [],
      alternatives: { wholeGpus: { gpus: 4, cost: { usdPerHour: 18 } }, timeSliced: { gpus: 1 } },
    });
    expect(plan.steps.map(({ kind }) => kind)).toEqual([
      'enable-mig',
      'create',
      'create',
      'create',
      'create',
    ]);
  });

  it('rents the cheapest mix, proven to the cent', () => {
    const fleet = {
      nodes: [],
      rent: prices
        .filter(({ usdPerHour }) => usdPerHour !== null)
        .map(({ machineType }) => ({ machineType })),
    };
    const needs = [
      need('small', 30, { memoryMiB: 4_000 }),
      need('large', 3, { memoryMiB: 60_000 }),
      need('nccl', 1, { gpus: 8, p2p: true }),
    ];
    const plan = planOf(fleet, needs);
    expect(plan.unplaced).toEqual([]);
    const bound = plan.proof.kind === 'prices' ? plan.proof.lowerBound : 0;
    expect(plan.cost.usdPerHour ?? 0).toBeGreaterThanOrEqual(bound - 1e-6);
    expect((plan.cost.usdPerHour ?? 0) - bound).toBeLessThan(5);
    expect(plan.assignment.filter(({ need: name }) => name === 'nccl')).toHaveLength(8);
    expect(
      new Set(plan.assignment.filter(({ need: name }) => name === 'nccl').map(({ node }) => node)).size,
    ).toBe(1);
  });

  it('plans around busy slices, keeps free ones that are in nobody’s way, and destroys only what is', () => {
    const node: FleetNode = {
      name: 'gpu-1',
      model: 'rtx-pro-6000-blackwell-server',
      gpus: 1,
      layouts: [
        {
          index: 0,
          slices: [
            { profile: '1g.24gb', start: 0, size: 3, busy: true },
            { profile: '1g.24gb', start: 3, size: 3, busy: false },
            { profile: '1g.24gb', start: 6, size: 3, busy: false },
          ],
        },
      ],
    };
    const plan = planOf({ nodes: [node], rent: [] }, [need('llama', 1, { memoryMiB: 40_000 })]);
    expect(plan.layouts[0]?.placements).toEqual([
      { profile: '1g.24gb', start: 0, size: 3 },
      { profile: '1g.24gb', start: 3, size: 3 },
      { profile: '2g.48gb', start: 6, size: 6 },
    ]);
    expect(
      plan.steps.map(({ kind, ...step }) => [kind, 'placement' in step ? step.placement.start : null]),
    ).toEqual([
      ['destroy', 6],
      ['create', 6],
    ]);
  });

  it('leaves out what does not fit, the lower priority first, and proves that something must stay out', () => {
    const node: FleetNode = { name: 'gpu-1', model: 'rtx-pro-6000-blackwell-server', gpus: 1 };
    const needs = [
      need('batch', 4, { memoryMiB: 20_000 }),
      need('search', 1, { memoryMiB: 40_000, priority: 1 }),
    ];
    const plan = planOf({ nodes: [node], rent: [] }, needs);
    expect(plan.unplaced).toEqual([
      { need: 'batch', count: 2, why: 'the fleet is full: no arrangement of its slices holds more' },
    ]);
    expect(plan.proof).toMatchObject({
      kind: 'prices',
      objective: 'unplaced',
      lowerBound: expect.closeTo(0.5, 6) as number,
    });
  });

  it('never places a lower priority at the cost of a higher one', () => {
    const rtx: FleetNode = { name: 'gpu-1', model: 'rtx-pro-6000-blackwell-server', gpus: 1 };
    const ranked = [0, 1, 2, 3, 4, 5].map((priority) =>
      need(`p${priority}`, 1, { memoryMiB: 40_000, priority }),
    );
    const placed = (plan: Plan): readonly string[] => plan.assignment.map(({ need: name }) => name).sort();
    expect(placed(planOf({ nodes: [rtx], rent: [] }, ranked))).toEqual(['p4', 'p5']);

    // A notebook that is one of many in a slice, against eight whole cards of a lower priority.
    const h100: FleetNode = { name: 'gpu-1', model: 'h100-80gb-sxm', gpus: 8 };
    const needs = [
      need('gang', 1, { memoryMiB: 1_000, gpus: 8 }),
      need('notebook', 1, { memoryMiB: 150, isolation: 'shared', priority: 1 }),
    ];
    expect(placed(planOf({ nodes: [h100], rent: [] }, needs))).toEqual(['notebook']);
  });

  it('says why a need fits nowhere', () => {
    const plan = planOf({ nodes: [], rent: [{ machineType: 'a30-4' }] }, [
      need('huge', 2, { memoryMiB: 90_000 }),
      need('nccl', 1, { gpus: 8 }),
    ]);
    expect(plan.unplaced.map(({ need: name, count }) => [name, count])).toEqual([
      ['huge', 2],
      ['nccl', 1],
    ]);
    expect(plan.unplaced[0]?.why).toMatch(/a30-24gb: .*too big/);
    expect(plan.unplaced[1]?.why).toMatch(/8 GPUs in one machine/);
  });

  it('gives a card that one replica fills to it whole, MIG off', () => {
    const plan = planOf({ nodes: [], rent: [{ machineType: 'rtx-1' }] }, [
      need('flux', 1, { memoryMiB: 60_000 }),
    ]);
    expect(plan.layouts).toMatchObject([{ mig: false, placements: [] }]);
    expect(plan.assignment).toMatchObject([{ need: 'flux', placement: null }]);
    expect(plan.steps.map(({ kind }) => kind)).toEqual(['disable-mig']);
  });

  it('gives every machine one size where it must, at the least money for that', () => {
    const needs = [need('small', 6, { memoryMiB: 9_000 }), need('large', 1, { memoryMiB: 40_000 })];
    const fleet = { nodes: [], rent: [{ machineType: 'rtx-1' }] };
    // Six quarters and a half fill two cards; of one size each, a quarter is left over for a third.
    expect(planOf(fleet, needs).gpus).toBe(2);
    const uniform = planOf(fleet, needs, true);
    expect([uniform.gpus, sizesPerNode(uniform)]).toEqual([3, 1]);
  });

  it('leaves a machine with busy slices alone where all its cards would need one size', () => {
    const slices = [{ profile: '2g.48gb', start: 0, size: 6, busy: true }];
    const busy = {
      name: 'gpu-1',
      model: 'rtx-pro-6000-blackwell-server',
      gpus: 2,
      layouts: [{ index: 0, slices }],
    };
    const plan = planOf(
      { nodes: [busy], rent: [{ machineType: 'rtx-1' }] },
      [need('small', 3, { memoryMiB: 9_000 })],
      true,
    );
    expect(plan.layouts.map(({ node }) => node)).toEqual(['rtx-1-1']);
    expect(plan.notes.join()).toMatch(/node gpu-1 takes no part/);
  });

  it('lets replicas of one need share a slice when it may', () => {
    const shared = need('notebook', 10, { memoryMiB: 4_000, isolation: 'shared' });
    const plan = planOf({ nodes: [], rent: [{ machineType: 'rtx-1' }] }, [shared]);
    const seats = new Map<string, number>();
    for (const { placement } of plan.assignment)
      seats.set(String(placement?.start), (seats.get(String(placement?.start)) ?? 0) + 1);
    expect(plan.gpus).toBe(1);
    expect(seats.size).toBeLessThan(10);
    expect([...seats.values()].reduce((sum, count) => sum + count, 0)).toBe(10);
  });

  it('counts cards where a price is missing, and says so', () => {
    const plan = planOf({ nodes: [], rent: [{ machineType: 'h200-8' }] }, [
      need('llm', 2, { memoryMiB: 60_000 }),
    ]);
    expect(plan).toMatchObject({ objective: 'gpus', cost: { usdPerHour: null, unknown: ['h200-8'] } });
    expect(plan.notes.join()).toMatch(/no price is known for h200-8/);
  });

  it('counts time-sliced cards of several models, each at its own', () => {
    const nodes = [
      { name: 'rtx', model: 'rtx-pro-6000-blackwell-server', gpus: 1 },
      { name: 'h100', model: 'h100-80gb-sxm', gpus: 1 },
    ];
    const wide = need('wide', 4, { memoryMiB: 40_000 });
    // 44,000 MiB with headroom: two on an RTX PRO 6000, one on an H100.
    expect(planOf({ nodes, rent: [] }, [wide]).alternatives.timeSliced).toMatchObject({
      gpus: 2,
      unplaced: 1,
    });
    const nccl = need('time-sliced rtx', 1, { p2p: true });
    const { timeSliced } = planOf({ nodes, rent: [] }, [wide, nccl]).alternatives;
    expect(timeSliced).toMatchObject({ gpus: 2 });
    expect(timeSliced.unplaced).toBeGreaterThanOrEqual(2);
  });

  it('takes seconds for a large fleet', () => {
    const nodes = Array.from({ length: 25_000 }, (_, index) => {
      return { name: `node-${index}`, model: 'rtx-pro-6000-blackwell-server', gpus: 1 };
    });
    const plan = planOf({ nodes, rent: [] }, [need('bert', 100_000, { memoryMiB: 20_000 })]);
    expect([plan.gpus, plan.unplaced]).toEqual([25_000, []]);
  });

  it('refuses a model or machine type that nobody knows', () => {
    const ask = (fleet: Fleet): unknown => makePlan({ fleet, needs: [], prices, solve });
    expect(ask({ nodes: [{ name: 'x', model: 'gtx-1080', gpus: 1 }], rent: [] })).toMatchObject({
      ok: false,
      why: { kind: 'unknown-model' },
    });
    expect(ask({ nodes: [], rent: [{ machineType: 'nope' }] })).toMatchObject({
      ok: false,
      why: { kind: 'unknown-machine-type' },
    });
  });
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

/** The most sizes that one machine has, whole cards being one. */
function sizesPerNode(plan: Plan): number {
  const sizes = new Map<string, Set<string>>();
  for (const { node, mig, placements } of plan.layouts) {
    const here = sizes.get(node) ?? new Set<string>();
    for (const { profile } of placements) here.add(profile);
    if (!mig) here.add('whole');
    sizes.set(node, here);
  }
  return Math.max(0, ...[...sizes.values()].map((here) => here.size));
}

function planOf(fleet: Fleet, needs: readonly Need[], uniform = false): Plan {
  const answer = makePlan({ fleet, needs, prices, solve, uniform });
  if (!answer.ok) throw new Error(answer.why.message);
  return answer.plan;
}

function need(name: string, count: number, rest: Partial<Need> = {}): Need {
  return {
    name,
    count,
    gpus: 1,
    p2p: false,
    media: false,
    graphics: false,
    isolation: 'hardware',
    priority: 0,
    movable: true,
    ...rest,
  };
}

function priced(machineType: string, model: string, gpus: number, usdPerHour: number): PriceTable[number] {
  return {
    machineType,
    model,
    gpus,
    usdPerHour,
    estimate: false,
    source: 'made up for this test',
    region: null,
    asOf: null,
  };
}

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
