/**
 * Pods of random sizes come and go: whatever happens, the controller keeps to its policies at every call, and where nobody
 * comes any more it comes to rest. More seeds with MICA_LONG=1.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import type { Solve } from '#core/packing/linear-program';
import type { MigPolicySpec } from '#core/cluster/policy/mig-policy';
import { ControllerWorld, type Gpu } from './actors/controller-world.js';

let solve: Solve;
beforeAll(async () => {
  ({ solve } = await loadSolver());
});

const minuteMs = 60_000;
const sizes = ['1g.10gb', '1g.10gb', '1g.20gb', '2g.20gb', '3g.40gb', '4g.40gb', '7g.80gb', 'whole'] as const;
const layouts: readonly Gpu[] = [
  { '1g.10gb': 7 },
  { '3g.40gb': 2 },
  { '2g.20gb': 3, '1g.10gb': 1 },
  { '7g.80gb': 1 },
  { '1g.20gb': 4 },
  'whole',
];

interface Story {
  readonly world: ControllerWorld;
  readonly spec: Partial<MigPolicySpec>;
  readonly comings: number;
}

/** Within the first hour. */
async function storyOf(seed: number, isChaos = false): Promise<Story> {
  const { next, pick } = randomFrom(seed);
  const count = 2 + Math.floor(next() * 3);
  const nodes = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `gpu-${index + 1}`,
      Array.from({ length: next() < 0.3 ? 2 : 1 }, () => pick(layouts)),
    ]),
  );
  const spec: Partial<MigPolicySpec> = {
    cooldownMs: pick([0, 0, 5, 20]) * minuteMs,
    pendingMs: pick([0, 10_000, 60_000]),
    maxUnavailable: pick([1, 1, 2]),
    evictions: pick(['Never', 'Allowed']),
    ...(next() < 0.2 && { allowedProfiles: ['1g.10gb', '2g.20gb', '3g.40gb'] }),
  };
  const world = new ControllerWorld(solve, {
    ...{ nodes, policies: { all: spec }, looksEachMs: 5_000, leaseMs: isChaos ? 20_000 : 10 * minuteMs },
    lagMs: pick([0, 0, 400, 5_000]),
    latencyMs: pick([0, 30]),
    knowsHolders: next() < 0.6,
  });
  if (isChaos) troubled(world, next);
  else world.start();
  const comings = 4 + Math.floor(next() * 8);
  const hours = Array.from({ length: comings }, () => next() * 60).sort((a, b) => a - b);
  let atMinutes = 0;
  for (const [index, minutes] of hours.entries()) {
    await world.run(minutes - atMinutes);
    atMinutes = minutes;
    const app = `app-${index}`;
    const replicas = 1 + Math.floor(next() * 3);
    const runsMs = next() < 0.5 ? (2 + next() * 30) * minuteMs : undefined;
    world.controllers.run({ app, slice: pick(sizes), replicas, ...(runsMs !== undefined && { runsMs }) });
    if (replicas > 1 && runsMs === undefined && next() < 0.3)
      world.cluster.budgets.push({ name: app, app, minAvailable: replicas - 1 });
    if (index > 1 && next() < 0.3) world.controllers.scale(`app-${index - 2}`, 0);
  }
  return { world, spec, comings };
}

const isLong = process.env['MICA_LONG'] === '1';
const seeds = Number(process.env['MICA_SEEDS'] ?? (isLong ? 400 : 4));
const first = Number(process.env['MICA_SEED'] ?? 1);

describe('controllers that die, and whose calls fail', () => {
  it('keep to their policies all the same', { timeout: isLong ? 3_600_000 : 120_000 }, async () => {
    for (let seed = first; seed < first + Math.ceil(seeds / 3); seed += 1) {
      const { world, spec } = await storyOf(seed, true);
      await world.run(180);
      const at = `seed ${seed}: ${JSON.stringify(spec)}\n${world.cluster.log.join('\n')}`;
      world.halt();
      expect(world.cluster.broken, at).toEqual([]);
      if (spec.evictions === 'Never') expect(world.laws.evicted, at).toEqual([]);
      if (world.cluster.budgets.length === 0) expect(world.worthCutting(spec), at).toEqual([]);
      for (const { isCordoned, annotations } of world.cluster.nodes.values())
        expect([isCordoned, annotations['mica.dev/change']], at).toEqual([false, undefined]);
      await world.stop();
    }
  });
});

describe('a controller among pods that come and go', () => {
  it(
    'keeps to its policies, serves, and comes to rest',
    { timeout: isLong ? 3_600_000 : 120_000 },
    async () => {
      const sum = { changes: 0, evicted: 0, waited: 0 };
      for (let seed = first; seed < first + seeds; seed += 1) {
        const { world, spec, comings } = await storyOf(seed);
        const at = `seed ${seed}`;
        try {
          await world.run(180);
          const cuts = cutsIn(world);
          expect(world.cluster.broken, at).toEqual([]);
          if (spec.evictions === 'Never') expect(world.laws.evicted, at).toEqual([]);
          // Each pod that comes or goes may be worth a cut of each node, and no more.
          expect(cuts, at).toBeLessThanOrEqual(world.nodes.size * comings);
          if (world.cluster.budgets.length === 0) expect(world.worthCutting(spec), at).toEqual([]);
          const [leader] = world.processes;
          const begun = world.laws.begun.length;
          const turns = leader?.count('turn') ?? 0;
          const plans = leader?.count('planned') ?? 0;
          world.rest();
          await world.run(24 * 60);
          expect(cutsIn(world), `${at}, a day later`).toBe(cuts);
          const attempts = world.laws.begun.length - begun;
          expect(attempts, `${at}: tries of a day`).toBeLessThanOrEqual(
            world.cluster.budgets.length === 0 ? 0 : 25 * world.nodes.size,
          );
          // A sign of life each half minute, and no more than that.
          const turned = (leader?.count('turn') ?? 0) - turns;
          expect(turned, at).toBeGreaterThanOrEqual(2 * 24 * 60 - 5);
          expect(turned, at).toBeLessThanOrEqual(2 * 24 * 60 + 20 + 20 * attempts);
          expect((leader?.count('planned') ?? 0) - plans, at).toBeLessThanOrEqual(2 * turned);
          expect(world.cluster.broken, at).toEqual([]);
          expect(
            leader?.news.filter(({ kind }) => kind === 'trouble'),
            at,
          ).toEqual([]);
          sum.changes += cuts;
          sum.evicted += world.laws.evicted.length;
          sum.waited += world.waiting().length;
          await world.stop();
          expect([world.shown.open, world.shown.waiting, world.policies.waiting], at).toEqual([0, 0, 0]);
        } catch (error) {
          console.error(`${at}: ${JSON.stringify(spec)}\n${world.cluster.log.join('\n')}`);
          throw error;
        } finally {
          world.halt();
        }
      }
      if (isLong) console.log(sum);
      expect(sum.changes).toBeGreaterThan(seeds);
      expect(sum.evicted).toBeGreaterThan(0);
    },
  );
});

/** For an hour calls fail, and controllers die and are begun again. */
function troubled(world: ControllerWorld, next: () => number): void {
  const bad = ['conflict', 'too-many', 'unreachable', 'lost'] as const;
  world.cluster.fault = () => (next() < 0.05 ? (bad[Math.floor(next() * bad.length)] ?? null) : null);
  const hows = ['before', 'after', 'told'] as const;
  for (let minute = 0; minute < 60; minute += 3) {
    world.clock.in(minute * minuteMs, () => {
      const at = 5 + Math.floor(next() * 90);
      world.start(`c${minute}`, { at, how: hows[Math.floor(next() * hows.length)] ?? 'before' });
    });
  }
  world.clock.in(62 * minuteMs, () => {
    world.cluster.fault = () => null;
    world.start('last');
  });
}

/** mig-manager was told to cut a node anew. */
function cutsIn({ cluster }: ControllerWorld): number {
  return cluster.log.filter((line) => /patch node .*mica\.dev\/change=cutting$/.test(line)).length;
}

function randomFrom(seed: number): {
  readonly next: () => number;
  readonly pick: <T>(all: readonly T[]) => T;
} {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, pick: (all) => all[Math.floor(next() * all.length)] as (typeof all)[number] };
}
