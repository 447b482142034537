/** What must hold of every audit, whatever was seen. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import { modelByKey } from '#core/catalogue/catalogue';
import type { MigModel, Profile } from '#core/catalogue/model';
import { defaultPrices } from '#core/cost/default-prices';
import type { Solve } from '#core/packing/linear-program';
import { usableMemory } from '#core/sizing/memory';
import type { Observation, ObservedWorkload } from '../observe/observation.js';
import {
  deviceClass,
  madeGpus,
  madeObservation,
  madeWorkload,
  startMs,
  type Given,
} from '../../../test/support/made-observation.js';
import { assess } from './assess.js';
import { auditObservation, type AuditOptions } from './audit-observation.js';
import { settingOf } from './options.js';
import { strategies, type StrategyName } from './strategies.js';

const long = process.env['MICA_LONG'] === '1';
const h100 = 'h100-80gb-sxm';
const targets = [h100, 'rtx-pro-6000-blackwell-server', 'a100-40gb', 'l4-24gb', undefined];
let solve: Solve;

beforeAll(async () => {
  ({ solve } = await loadSolver());
});

/** Memory in three runs, so that peak, p99 and p95 differ; now and then activity, slices, several GPUs, little data. */
const given: fc.Arbitrary<Omit<Given, 'workload'>> = fc
  .record({
    base: fc.integer({ min: 1, max: 70_000 }),
    rises: fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 20_000 })),
    samples: fc.constantFrom(50, 400, 2000),
    activity: fc.option(
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
    ),
    isSm: fc.boolean(),
    profile: fc.constantFrom(null, null, '1g.10gb', '2g.20gb', '3g.40gb', '4g.40gb'),
    replicas: fc.integer({ min: 1, max: 3 }),
    gpusAtOnce: fc.constantFrom(1, 1, 1, 2),
    timeSliced: fc.boolean(),
    startsAfterDays: fc.integer({ min: 0, max: 6 }),
  })
  .map(
    ({ base, rises: [first, second], samples, activity, isSm, profile, replicas, gpusAtOnce, ...rest }) => {
      const runs =
        activity === null
          ? undefined
          : ([
              [activity[0], samples],
              [activity[1], samples / 10],
            ] as const);
      const on = deviceClass(h100, profile, samples);
      const one = madeWorkload({ workload: 'any', on });
      return {
        memory: [
          [base, samples],
          [base + first, samples / 50],
          [base + first + second, samples / 50],
        ] as const,
        ...(runs === undefined ? {} : isSm ? { smActive: runs } : { grEngine: runs }),
        ...{ on, replicas },
        ...(profile === null ? { gpusAtOnce } : {}),
        more: {
          ...(rest.timeSliced && samples === 400
            ? { shared: { samples, identical: samples, others: ['b'] } }
            : {}),
          coverage: { ...one.coverage, firstMs: startMs + rest.startsAfterDays * 86_400_000 },
        },
      };
    },
  );

const observation: fc.Arbitrary<Observation> = fc
  .tuple(fc.array(given, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 10 }))
  .map(([all, gpus]) =>
    madeObservation(
      all.map((one, index) => madeWorkload({ ...one, workload: `w-${index}` })),
      [
        ...madeGpus(h100, gpus),
        ...madeGpus(h100, 1, { host: 'cut', profiles: ['3g.40gb', '2g.20gb', '1g.10gb'] }),
      ],
    ),
  );

function optionsFor(target: string | undefined, strategy: StrategyName, headroom: number): AuditOptions {
  const gpu = target === undefined ? undefined : modelByKey(target);
  return { strategy, headroom, prices: defaultPrices, ...(gpu === undefined ? {} : { gpu }) };
}

interface Size {
  readonly card: MigModel;
  readonly profile: Profile;
  readonly memoryMiB: number;
}

function sizeOf(workload: ObservedWorkload, options: AuditOptions): Size | null {
  const { choice } = assess(workload, settingOf(options));
  return choice && { ...choice, memoryMiB: usableMemory(choice.profile).memoryMiB ?? NaN };
}

const headrooms = fc.constantFrom(0, 0.1, 0.3);

describe('sizing', () => {
  it('recommends what holds the figure of the strategy with its headroom', () => {
    const names = fc.constantFrom<StrategyName>('peak', 'p99', 'p95');
    fc.assert(
      fc.property(given, fc.constantFrom(...targets), names, headrooms, (one, target, strategy, headroom) => {
        const workload = madeWorkload({ ...one, workload: 'w' });
        const size = sizeOf(workload, optionsFor(target, strategy, headroom));
        if (size === null || workload.memory === null) return;
        expect(size.memoryMiB).toBeGreaterThanOrEqual(
          strategies[strategy](workload.memory) * (1 + headroom) - 1e-3,
        );
      }),
      { numRuns: long ? 5000 : 300 },
    );
  });

  it('never gives less for more headroom, nor more for a lower percentile', () => {
    fc.assert(
      fc.property(given, fc.constantFrom(...targets), (one, target) => {
        const workload = madeWorkload({ ...one, workload: 'w' });
        const least = sizeOf(workload, optionsFor(target, 'p95', 0));
        for (const [strategy, headroom] of [
          ['p95', 0.2],
          ['p99', 0],
          ['peak', 0],
          ['peak', 0.2],
        ] as const) {
          const more = sizeOf(workload, optionsFor(target, strategy, headroom));
          // Nothing fits any more; or nothing was judged in the first place.
          if (more === null) continue;
          expect(least).not.toBeNull();
          expect(more.memoryMiB).toBeGreaterThanOrEqual(least?.memoryMiB ?? Infinity);
          if (target !== undefined)
            expect(more.profile.sizeUnits).toBeGreaterThanOrEqual(least?.profile.sizeUnits ?? 99);
        }
      }),
      { numRuns: long ? 5000 : 300 },
    );
  });
});

describe('the whole answer', () => {
  it('does not depend on the order of what was seen', () => {
    fc.assert(
      fc.property(
        observation,
        fc.constantFrom(h100, 'rtx-pro-6000-blackwell-server', undefined),
        (seen, target) => {
          const options = optionsFor(target, 'peak', 0.1);
          const turned = { ...seen, workloads: seen.workloads.toReversed(), gpus: seen.gpus.toReversed() };
          expect(auditObservation(turned, options, solve)).toEqual(auditObservation(seen, options, solve));
        },
      ),
      { numRuns: long ? 200 : 15 },
    );
  });

  it('takes no more cards of the same model than there are, and adds up', () => {
    fc.assert(
      fc.property(observation, fc.constantFrom(h100, undefined), (seen, target) => {
        const { totals, after, before, workloads } = auditObservation(
          seen,
          optionsFor(target, 'peak', 0.1),
          solve,
        );
        const { now, after: left, freed } = totals.gpus;
        expect(left).toBeLessThanOrEqual(now);
        expect(now).toBe(seen.gpus.length);
        expect(freed).toBe(now - left);
        for (const [drawn, gpus] of [
          [before, now],
          [after, left],
        ] as const)
          expect(drawn.reduce((sum, { count }) => sum + count, 0)).toBe(gpus);
        expect(Object.values(totals.verdicts).reduce((sum, count) => sum + count, 0)).toBe(workloads.length);
        expect(totals.usdPerMonth?.saved).toBeCloseTo(
          (totals.usdPerMonth?.now ?? 0) - (totals.usdPerMonth?.after ?? 0),
        );
        for (const { verdict, recommended } of workloads)
          if (verdict === 'unknown' || verdict === 'no-gpu') expect(recommended).toBeNull();
      }),
      { numRuns: long ? 300 : 25 },
    );
  });
});
