import { beforeAll, describe, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import { modelByKey } from '#core/catalogue/catalogue';
import { defaultPrices } from '#core/cost/default-prices';
import type { Solve } from '#core/packing/linear-program';
import { makePlan } from '#core/plan/make-plan';
import {
  deviceClass,
  heldBy,
  madeGpus,
  madeObservation,
  madeWorkload,
} from '../../../test/support/made-observation.js';
import { auditObservation } from './audit-observation.js';
import { fleetOf, needsOf } from './hand-over.js';

const h100 = 'h100-80gb-sxm';
const rtx = 'rtx-pro-6000-blackwell-server';
const documentName = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const options = { strategy: 'peak', prices: defaultPrices } as const;
let solve: Solve;

beforeAll(async () => {
  ({ solve } = await loadSolver());
});

const observation = madeObservation(
  [
    madeWorkload({ workload: 'bert', memory: [[8000.5, 10_080]], replicas: 3, smActive: [[0.1, 10_080]] }),
    madeWorkload({
      workload: 'bert',
      memory: [[9000, 10_080]],
      more: { owner: { kind: 'Job', name: 'bert', via: 'api' } },
    }),
    madeWorkload({ workload: 'train', gpusAtOnce: 2 }),
    madeWorkload({ workload: 'idle', memory: [[3, 10_080]] }),
    madeWorkload({
      workload: 'kept',
      memory: [[30_000, 10_080]],
      on: deviceClass(h100, '4g.40gb'),
      grEngine: [[0.1, 10_080]],
    }),
    madeWorkload({ workload: '-"odd" name/'.repeat(9), memory: null, on: deviceClass(h100, '1g.10gb+me') }),
  ],
  [
    ...madeGpus(h100, 7, { host: '10.0.0.1:9400' }),
    ...madeGpus(h100, 20, { host: 'big' }),
    ...madeGpus(null, 1),
  ],
);

describe('an audit handed over to the planner', () => {
  it('states what each workload needs', () => {
    const needs = needsOf(observation, options);
    expect(new Set(needs.map(({ name }) => name)).size).toBe(needs.length);
    for (const { name, memoryMiB = 1 } of needs) {
      expect(name).toMatch(documentName);
      expect(Number.isInteger(memoryMiB)).toBe(true);
    }
    expect(needs.slice(1)).toMatchObject([
      { name: 'team.bert', count: 3, memoryMiB: 8001, compute: { share: 0.1, of: h100 } },
      { name: 'team.bert-2', count: 1, memoryMiB: 9000 },
      { name: 'team.kept', memoryMiB: 30_000, compute: { share: 4 / 7, of: h100 } },
      { name: 'team.train', gpus: 2, p2p: true },
    ]);
    expect(needs[0]).toMatchObject({ media: true, compute: { share: 1 / 7, of: h100 } });
  });

  it('gives the machines that were seen, as documents may name them', () => {
    const { nodes, rent } = fleetOf(observation, options);
    expect(nodes.map(({ name, gpus }) => [name, gpus])).toEqual([
      ['10.0.0.1-9400', 7],
      ['big', 16],
      ['big-2', 4],
    ]);
    expect(rent).toEqual([]);
  });

  it('plans to as many cards as the audit says', () => {
    const answer = auditObservation(observation, options, solve);
    const question = {
      fleet: fleetOf(observation, options),
      needs: needsOf(observation, options),
      prices: defaultPrices,
      solve,
    };
    const planned = makePlan(question);
    expect(planned.ok && planned.plan.unplaced).toEqual([]);
    expect(planned.ok && planned.plan.gpus).toBe(answer.totals.gpus.after);
  });

  it('rents the target, for whoever moves there', () => {
    const gpu = modelByKey(rtx);
    if (gpu === undefined) throw new RangeError(rtx);
    const needs = needsOf(observation, { ...options, gpu });
    expect(needs.map(({ name }) => name)).toEqual(['team.bert', 'team.bert-2', 'team.kept']);
    const fleet = fleetOf(observation, { ...options, gpu });
    expect(fleet.nodes).toEqual([]);
    const planned = makePlan({ fleet, needs, prices: defaultPrices, solve });
    expect(planned.ok && [planned.plan.unplaced, planned.plan.gpus]).toEqual([[], 2]);
  });

  it('asks only for what the audit counts: what fits no card stays, time-sliced pods share, not all run at once', () => {
    const a100 = 'a100-40gb';
    const shared = { samples: 10_080, identical: 10_080, others: [] };
    const full = madeWorkload({ workload: 'full', memory: [[39_000, 10_080]], on: deviceClass(a100) });
    const pods = ['x', 'y', 'z'].map((workload) =>
      madeWorkload({ workload, on: deviceClass(a100), more: { shared } }),
    );
    const late = madeWorkload({ workload: 'late', on: deviceClass(a100), more: {} });
    const after = {
      ...late,
      coverage: { ...late.coverage, firstMs: late.coverage.lastMs + 1, lastMs: late.coverage.lastMs + 2 },
    };
    const [one, two, three] = madeGpus(a100, 3);
    const seen = madeObservation(
      [full, ...pods, after],
      [{ ...one!, holders: [heldBy(full)] }, { ...two!, holders: pods.map((pod) => heldBy(pod)) }, three!],
    );
    const needs = needsOf(seen, options);
    expect(needs).toMatchObject([
      { name: 'team.full', compute: { share: 1, of: a100 } },
      { name: 'time-sliced', count: 1, gpus: 1 },
    ]);
    const planned = makePlan({ fleet: fleetOf(seen, options), needs, prices: defaultPrices, solve });
    expect(planned.ok && [planned.plan.unplaced, planned.plan.gpus]).toEqual([[], 2]);
    expect(auditObservation(seen, options, solve).totals.gpus).toEqual({ now: 3, after: 2, freed: 1 });
  });

  it('has cards even where nobody sells them, and any card where none was seen', () => {
    const gpu = modelByKey('a30-24gb');
    if (gpu === undefined) throw new RangeError('a30');
    const none = { ...observation, gpus: [] };
    expect(fleetOf(none, { prices: [], gpu }).nodes).toMatchObject([
      { model: 'a30-24gb', gpus: 8 },
      { model: 'a30-24gb', gpus: 7 },
    ]);
    expect(fleetOf(none, options).rent.length).toBeGreaterThan(10);
    const measured = fleetOf(none, { ...options, measuredOn: { model: h100, profile: null } });
    expect(measured.rent.map(({ machineType }) => machineType)).toContain('p5.48xlarge');
  });
});
