import { beforeAll, describe, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import type { Solve } from '#core/packing/linear-program';
import { loadPlanOf, need, prices, sizesPerNode, type PlanOf } from '../../../test/support/plan-examples.js';
import type { Fleet, FleetNode } from './documents.js';
import { makePlan } from './make-plan.js';
import type { Plan } from './plan.js';

let planOf: PlanOf;
let solve: Solve;

beforeAll(async () => {
  ({ solve } = await loadSolver());
  planOf = await loadPlanOf();
});

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
