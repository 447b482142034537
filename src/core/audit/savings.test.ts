/** The fleet of an audit: what is planned for whom, what is counted, and what is said of it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import { modelByKey } from '#core/catalogue/catalogue';
import type { PriceTable } from '#core/cost/price-table';
import type { Solve } from '#core/packing/linear-program';
import type { ObservedGpu, ObservedWorkload } from '../observe/observation.js';
import {
  deviceClass,
  heldBy,
  madeGpus,
  madeObservation,
  madeWorkload,
  seated,
  startMs,
} from '../../../test/support/made-observation.js';
import type { AuditAnswer } from './answer.js';
import { auditObservation, type AuditOptions } from './audit-observation.js';

const h100 = 'h100-80gb-sxm';
const rtx = 'rtx-pro-6000-blackwell-server';
const l4 = 'l4-24gb';
let solve: Solve;

beforeAll(async () => {
  ({ solve } = await loadSolver());
});

/** $1 an hour for an H100: $730 a month. */
const prices: PriceTable = [
  priced('h100-8', h100, 8, 8),
  priced('rtx-1', rtx, 1, 0.5),
  { ...priced('l4-1', l4, 1, 0), usdPerHour: null },
];

function priced(machineType: string, model: string, gpus: number, usdPerHour: number): PriceTable[number] {
  return { machineType, model, gpus, usdPerHour, estimate: false, source: 'test', region: null, asOf: null };
}

function auditOf(
  workloads: readonly ObservedWorkload[],
  gpus: readonly ObservedGpu[],
  options: Partial<AuditOptions> = {},
): AuditAnswer {
  return auditObservation(madeObservation(workloads, gpus), { strategy: 'peak', prices, ...options }, solve);
}

function target(key: string): Pick<AuditOptions, 'gpu'> {
  const gpu = modelByKey(key);
  return gpu === undefined ? {} : { gpu };
}

const bert = madeWorkload({ workload: 'bert', memory: [[8000, 10_080]], replicas: 7 });

describe('the cards that are there, cut anew', () => {
  it('packs seven small workloads on one card, and counts what that saves', () => {
    const { gpus } = seated(madeObservation([bert], madeGpus(h100, 8)));
    const answer = auditOf([bert], gpus);
    expect(answer.totals).toMatchObject({
      gpus: { now: 8, after: 1, freed: 7 },
      usdPerMonth: { now: 5840, after: 730, saved: 5110 },
      unpriced: [],
      byModel: {
        now: [{ model: h100, gpus: 8, usdPerMonth: 5840 }],
        after: [{ model: h100, gpus: 1, usdPerMonth: 730 }],
      },
      score: 11,
      letter: 'F',
    });
    expect(answer.totals.headline).toBe(
      'A pod uses 7.8 GiB of GPU memory on average; 7 of 7 pods fit into a 1g.10gb of 9.8 GiB: in slices 8 GPUs ' +
        'become 1, which saves $5,110 of $5,840 a month (88%), so work that costs up to $5,110 pays for itself within a month.',
    );
    expect(answer.workloads[0]).toMatchObject({
      cardShare: { now: 1, after: 0.125 },
      usdPerMonth: { now: 5110, after: 638.75 },
    });
    expect(answer.after).toEqual([
      {
        ...{ count: 1, model: h100, gridUnits: 8 },
        slices: [0, 1, 2, 3, 4, 5, 6].map((start) => {
          return { profile: '1g.10gb', start, sizeUnits: 1, workloads: ['team/bert'] };
        }),
      },
    ]);
    const whole = { profile: null, start: null, sizeUnits: null };
    expect(answer.before).toEqual([
      { count: 7, model: h100, gridUnits: 8, slices: [{ ...whole, workloads: ['team/bert'] }] },
      { count: 1, model: h100, gridUnits: 8, slices: [{ ...whole, workloads: [] }] },
    ]);
  });

  it('keeps what it cannot judge, and several GPUs together; drops who needs none', () => {
    const answer = auditOf(
      [
        madeWorkload({ workload: 'train', gpusAtOnce: 4 }),
        madeWorkload({ workload: 'blind', memory: null, replicas: 2 }),
        madeWorkload({ workload: 'idle', memory: [[3, 10_080]] }),
        madeWorkload({ workload: 'blind-slice', memory: null, on: deviceClass(h100, '3g.40gb') }),
      ],
      [...madeGpus(h100, 7), ...madeGpus(h100, 1, { host: 'node-2', profiles: ['3g.40gb', '3g.40gb'] })],
    );
    expect(answer.totals.gpus).toEqual({ now: 8, after: 7, freed: 1 });
    const byName = new Map(answer.workloads.map(({ workload, cardShare }) => [workload, cardShare.after]));
    expect([...byName]).toEqual([
      ['blind', 1],
      ['blind-slice', 0.5],
      ['idle', 0],
      ['train', 1],
    ]);
    expect(answer.after.flatMap(({ slices }) => slices.map(({ profile }) => profile)).sort()).toContain(
      '3g.40gb',
    );
    expect(answer.totals.verdicts).toEqual({ slice: 0, 'whole-gpu': 1, share: 0, 'no-gpu': 1, unknown: 2 });
  });

  it('lets idle replicas of one workload share a slice', () => {
    const memory = [[2000, 10_080]] as const;
    const idle = madeWorkload({ workload: 'notebook', memory, replicas: 8, smActive: [[0, 10_080]] });
    const answer = auditOf([idle], madeGpus(h100, 8));
    expect(answer.workloads[0]).toMatchObject({ verdict: 'share', cardShare: { after: 1 / 8 / 4 } });
    expect(answer.totals.gpus.after).toBe(1);
    expect(answer.isolation.takes.join()).toContain('Replicas that share a slice (team/notebook)');
  });

  it('never asks for more cards than there are: who has no room keeps what it has', () => {
    const full = madeWorkload({
      workload: 'full',
      memory: [[9500, 10_080]],
      on: deviceClass(h100, '1g.10gb'),
      replicas: 7,
    });
    const answer = auditOf([full], madeGpus(h100, 1, { profiles: Array<string>(7).fill('1g.10gb') }));
    expect(answer.totals.gpus).toEqual({ now: 1, after: 1, freed: 0 });
    expect(answer.notes.join()).toContain('No room at the size that they need');
    expect(answer.workloads[0]?.severity).toBe('critical');
  });

  it('leaves cards without MIG whole, and says how to see more', () => {
    const small = madeWorkload({
      workload: 'small',
      memory: [[3000, 10_080]],
      on: deviceClass(l4),
      replicas: 4,
    });
    const answer = auditOf([small], madeGpus(l4, 4));
    expect(answer.totals).toMatchObject({ gpus: { now: 4, after: 4 }, usdPerMonth: null, unpriced: [l4] });
    expect(answer.notes.join()).toContain(`Cards that cannot be cut stay whole in the totals: ${l4}`);
    const moved = auditOf([small], madeGpus(l4, 4), target(rtx));
    expect(moved.totals).toMatchObject({ gpus: { now: 4, after: 1, freed: 3 }, usdPerMonth: null });
    expect(moved.totals.headline).toContain('no price is known');
  });

  it('keeps cards that it does not know as they are', () => {
    const on = { model: null, productName: 'Mystery 3000', profile: null, samples: 10_080 };
    const answer = auditOf(
      [madeWorkload({ workload: 'odd', on }), bert],
      [
        ...madeGpus(null, 2, { host: 'odd' }).map((gpu) => ({ ...gpu, productName: 'Mystery 3000' })),
        ...madeGpus(h100, 7),
      ],
    );
    expect(answer.totals.byModel.after).toEqual([
      { model: h100, gpus: 1, usdPerMonth: 730 },
      { model: null, gpus: 1, usdPerMonth: null },
    ]);
    expect(answer.totals.unpriced).toEqual(['Mystery 3000']);
    expect(answer.notes.join()).toContain(
      'On cards that Mica does not know, and so kept as they are: team/odd',
    );
  });

  it('counts time-sliced pods by the cards that the others leave', () => {
    const others = { samples: 10_080, identical: 10_080, others: [] };
    const sliced = madeWorkload({ workload: 'turns', replicas: 4, more: { shared: others } });
    const answer = auditOf([sliced, bert], madeGpus(h100, 8));
    expect(answer.totals.gpus).toEqual({ now: 8, after: 2, freed: 6 });
    expect(answer.isolation.gives.join()).toContain('time-slicing');
  });

  it('sizes the fleet for its busiest moment where pods come and go', () => {
    const hour = 3_600_000;
    const jobs = Array.from({ length: 8 }, (_, index) => {
      const one = madeWorkload({
        workload: `job-${index}`,
        memory: [[30_000, 10_080]],
        smActive: [[0.3, 10_080]],
      });
      const firstMs = startMs + index * 10 * hour;
      return { ...one, coverage: { ...one.coverage, firstMs, lastMs: firstMs + 12 * hour } };
    });
    const answer = auditOf(jobs, madeGpus(h100, 2));
    expect(answer.totals.gpus).toEqual({ now: 2, after: 1, freed: 1 });
    expect(answer.notes.join()).toContain('the busiest moment, when 2 of 8 ran');
  });

  it('a job runs while one of its pods does, a service from its first to its last sample', () => {
    const between = (from: number, to: number) => {
      return { startMs: startMs + from * 3_600_000, endMs: startMs + to * 3_600_000 };
    };
    const noteFor = (kind: string): string => {
      const [night, day] = ['night', 'day'].map((workload) => ({
        ...madeWorkload({ workload, memory: [[30_000, 1000]] }),
        owner: { kind, name: workload, via: 'api' as const },
      }));
      const nights = { ...heldBy(night!), spans: [between(0, 6), between(24, 30), between(48, 54)] };
      const days = { ...heldBy(day!), spans: [between(8, 20), between(32, 44)] };
      const gpus = madeGpus(h100, 1).map((gpu) => ({ ...gpu, holders: [nights, days] }));
      return auditOf([night!, day!], gpus).notes.join();
    };
    expect(noteFor('CronJob')).toContain('when 1 of 2 ran');
    expect(noteFor('Deployment')).not.toContain('the busiest moment');
  });
});

describe('the drawing of today', () => {
  const hour = 3_600_000;
  const names = (answer: AuditAnswer, side: 'before' | 'after'): readonly (readonly string[])[] =>
    answer[side].flatMap(({ count, slices }) =>
      Array.from({ length: count }, () => slices.flatMap(({ workloads }) => workloads)),
    );

  it('has every workload where it was, in the busiest moment', () => {
    const on = deviceClass(h100, '3g.40gb');
    const [a, b] = ['a', 'b'].map((workload) => madeWorkload({ workload, on })) as [
      ObservedWorkload,
      ObservedWorkload,
    ];
    const whole = madeWorkload({ workload: 'whole', memory: [[70_000, 10_080]] });
    const [card] = madeGpus(h100, 1, { profiles: ['3g.40gb', '3g.40gb'] });
    const cut = {
      ...card!,
      slices: card!.slices.map((slice, index) => ({ ...slice, holders: [heldBy(index === 0 ? b : a)] })),
    };
    const [first, second] = madeGpus(h100, 2, { host: 'node-2' });
    const moved = [
      { ...first!, holders: [heldBy(whole, startMs + 2 * hour)] },
      { ...second!, holders: [heldBy(whole, startMs, startMs + hour)] },
    ];
    const answer = auditOf([a, b, whole], [cut, ...moved]);
    expect(
      answer.before.map(({ slices }) => slices.map(({ profile, workloads }) => [profile, workloads])),
    ).toEqual([
      [
        ['3g.40gb', ['team/b']],
        ['3g.40gb', ['team/a']],
      ],
      [[null, []]],
      [[null, ['team/whole']]],
    ]);
    expect(answer.notes.join()).not.toContain('which of several');
  });

  it('leaves time-sliced pods on their own card, on both sides', () => {
    const shared = { samples: 10_080, identical: 10_080, others: [] };
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((workload) =>
      madeWorkload({ workload, more: { shared } }),
    ) as [ObservedWorkload, ObservedWorkload, ObservedWorkload, ObservedWorkload];
    const [one, two, three] = madeGpus(h100, 3);
    const answer = auditOf(
      [a, b, c, d],
      [{ ...one!, holders: [heldBy(a), heldBy(d)] }, { ...two!, holders: [heldBy(b), heldBy(c)] }, three!],
    );
    expect(names(answer, 'before')).toEqual([['team/a', 'team/d'], ['team/b', 'team/c'], []]);
    const after = [
      ['team/a', 'team/d'],
      ['team/b', 'team/c'],
    ];
    expect(names(answer, 'after')).toEqual(after);
    const turned = auditOf(
      [d, c, b, a],
      [three!, { ...two!, holders: [heldBy(b), heldBy(c)] }, { ...one!, holders: [heldBy(a), heldBy(d)] }],
    );
    expect(names(turned, 'after')).toEqual(after);
  });
});

describe('a target card', () => {
  it('takes what fits it, and leaves the rest where it is', () => {
    const train = madeWorkload({ workload: 'train', gpusAtOnce: 2 });
    const answer = auditOf([bert, train], madeGpus(h100, 9), target(rtx));
    expect(answer.totals.byModel.after).toEqual([
      { model: h100, gpus: 2, usdPerMonth: 1460 },
      { model: rtx, gpus: 2, usdPerMonth: 730 },
    ]);
    expect(answer.totals.usdPerMonth).toEqual({ now: 6570, after: 2190, saved: 4380 });
    expect(answer.workloads[0]).toMatchObject({
      recommended: { model: rtx, profile: '1g.24gb' },
      cardShare: { now: 1, after: 0.25 },
      usdPerMonth: { now: 5110, after: 638.75 },
    });
  });

  it('that may cost more says so', () => {
    const big = madeWorkload({
      workload: 'big',
      memory: [[30_000, 10_080]],
      on: deviceClass(rtx, '2g.48gb'),
    });
    const answer = auditOf(
      [{ ...big, replicas: { seen: 4, atOnce: 4 } }],
      madeGpus(rtx, 2, { profiles: ['2g.48gb', '2g.48gb'] }),
      target(h100),
    );
    expect(answer.totals.headline).toContain('costs $730 a month more');
  });
});

describe('figures without cards', () => {
  it('count one whole card of the model recommended for each replica, and say so', () => {
    const on = { model: null, productName: null, profile: null, samples: 10_080 };
    const csv = [
      madeWorkload({ workload: 'a', namespace: null, on, memory: [[20_000, 10_080]], replicas: 3 }),
      madeWorkload({ workload: 'b', namespace: null, on, memory: [[3, 10_080]] }),
    ];
    const answer = auditOf(csv, []);
    expect(answer.totals).toMatchObject({
      gpus: { now: 4, after: 1, freed: 3 },
      usdPerMonth: { now: 1460, after: 365, saved: 1095 },
    });
    expect(answer.notes[0]).toContain('one whole card of the model recommended');
    expect(answer.totals.headline).toMatch(/^A replica uses/);
    const told = auditOf(csv, [], { measuredOn: { model: h100, profile: null } });
    expect(told.totals.byModel.now).toEqual([{ model: h100, gpus: 4, usdPerMonth: 2920 }]);
  });

  it('may be none at all', () => {
    const answer = auditOf([], []);
    expect(answer.totals).toMatchObject({
      gpus: { now: 0, after: 0, freed: 0 },
      usdPerMonth: null,
      letter: 'A',
    });
    expect(answer.totals.headline).toContain('nothing to save');
    const idle = auditOf([], madeGpus(h100, 2, { held: 0 }));
    expect(idle.totals).toMatchObject({ gpus: { now: 2, after: 0, freed: 2 }, score: 0, letter: 'F' });
  });
});
