import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import { modelByKey } from '#core/catalogue/catalogue';
import type { MigModel } from '#core/catalogue/model';
import { heaviest } from '../../../test/support/check-bound.js';
import type { Solve } from './linear-program.js';
import { pack } from './pack.js';
import { packServices, type Service, type ServingPlan } from './serving.js';

const a100 = mig('a100-80gb');
const a30 = mig('a30-24gb');
let solve: Solve;

beforeAll(async () => {
  ({ solve } = await loadSolver());
});

describe('serving on slices', () => {
  it('carries every rate, on as few cards as trying every choice of slices, with a proof that holds', () => {
    const anyService = fc.record({
      requestsPerSecond: fc.integer({ min: 1, max: 60 }),
      one: fc.integer({ min: 0, max: 20 }),
      two: fc.integer({ min: 0, max: 45 }),
      four: fc.integer({ min: 15, max: 90 }),
    });
    fc.assert(
      fc.property(fc.array(anyService, { minLength: 1, maxLength: 3 }), (drawn) => {
        const services = drawn.map(({ requestsPerSecond, one, two, four }, index): Service => {
          return {
            name: `s${index}`,
            requestsPerSecond,
            throughput: { '1g.6gb': one, '2g.12gb': two, '4g.24gb': four },
          };
        });
        const plan = packServices(a30, services, solve);
        expect(carriesAll(services, plan)).toBe(true);
        expect(plan.packing.gpus).toBe(fewestByTrying(services));
        expect(provenCards(services, plan)).toBe(plan.proof.lowerBound);
        expect(plan.proof.lowerBound).toBeLessThanOrEqual(plan.packing.gpus);
      }),
      { numRuns: 40 },
    );
  });

  it('takes one 3g where two 2g would do, if that saves a card', () => {
    const services = [
      { name: 'large', requestsPerSecond: 100, throughput: { '7g.80gb': 120, '4g.40gb': 101 } },
      { name: 'small', requestsPerSecond: 40, throughput: { '3g.40gb': 45, '2g.20gb': 25, '1g.10gb': 9 } },
    ];
    const plan = packServices(a100, services, solve);
    expect([plan.packing.gpus, plan.proof.lowerBound]).toEqual([1, 1]);
    expect(plan.slices.map(({ counts }) => Object.entries(counts).filter(([, count]) => count > 0))).toEqual([
      [['4g.40gb', 1]],
      [['3g.40gb', 1]],
    ]);
  });

  it('says which service no profile carries', () => {
    expect(() => packServices(a100, [{ name: 'slow', requestsPerSecond: 1, throughput: {} }], solve)).toThrow(
      /'slow'/,
    );
  });
});

function carriesAll(services: readonly Service[], plan: ServingPlan): boolean {
  return services.every(({ throughput, requestsPerSecond }, index) => {
    const counts = Object.entries(plan.slices[index]?.counts ?? {});
    return (
      counts.reduce((sum, [profile, count]) => sum + count * (throughput[profile] ?? 0), 0) >=
      requestsPerSecond - 1e-6
    );
  });
}

/** Every combination of slice counts that carries each service; the fewest cards of the closed form among them. */
function fewestByTrying(services: readonly Service[]): number {
  const choices = services.map(({ throughput, requestsPerSecond }) => {
    const [one = 0, two = 0, four = 0] = [throughput['1g.6gb'], throughput['2g.12gb'], throughput['4g.24gb']];
    const enough: [number, number, number][] = [];
    for (let fours = 0; fours <= 4; fours += 1) {
      for (let twos = 0; twos <= 8; twos += 1) {
        const left = requestsPerSecond - fours * four - twos * two;
        if (left > 0 && one === 0) continue;
        enough.push([Math.max(0, Math.ceil(left / one || 0)), twos, fours]);
      }
    }
    return enough;
  });
  let sums = new Set(['0,0,0']);
  for (const options of choices) {
    sums = new Set(
      [...sums].flatMap((text) =>
        options.map((option) =>
          text
            .split(',')
            .map((count, index) => Number(count) + (option[index] ?? 0))
            .join(),
        ),
      ),
    );
  }
  return Math.min(
    ...[...sums].map((text) => {
      const [one = 0, two = 0, four = 0] = text.split(',').map(Number);
      return pack(a30, { '1g.6gb': one, '2g.12gb': two, '4g.24gb': four }).gpus;
    }),
  );
}

/** From the prices alone: no layout is worth more than a card, and each service costs at least its cheapest cover. */
function provenCards(services: readonly Service[], { proof }: ServingPlan): number {
  const profiles = a30.profiles.filter(({ attribute }) => attribute === null);
  if (heaviest(profiles, proof.prices) > 1 + 1e-9) return Number.NaN;
  const least = services.map(({ throughput, requestsPerSecond }) => {
    const cheapest: number[] = [0];
    for (let rate = 1; rate <= requestsPerSecond; rate += 1) {
      const options = profiles.filter(({ name }) => (throughput[name] ?? 0) > 0);
      cheapest.push(
        Math.min(
          ...options.map(
            ({ name }) =>
              (proof.prices[name] ?? 0) + (cheapest[Math.max(0, rate - (throughput[name] ?? 0))] ?? 0),
          ),
        ),
      );
    }
    return cheapest.at(-1) ?? 0;
  });
  return Math.ceil(least.reduce((sum, worth) => sum + worth, 0) - 1e-6);
}

function mig(key: string): MigModel {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new Error(`${key} is not in the catalogue`);
  return model;
}
