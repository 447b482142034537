/**
 * A controller whose calls fail in turn, in every way, and that is killed or told to end at each of them while a second one
 * stands by: nodes end as wanted or cordoned with the reason on them, nobody is evicted twice, no budget is broken, and of
 * two controllers only the leader acts. Some of the calls here; all of them with MICA_LONG=1.
 */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import type { Solve } from '#core/packing/linear-program';
import type { ApiRefusal } from '#ports/cluster-api';
import { ControllerWorld, type ControllerWorldOptions } from './actors/controller-world.js';
import type { Death } from './actors/controller-process.js';

let solve: Solve;
beforeAll(async () => {
  ({ solve } = await loadSolver());
});

const worldStartMs = 1_790_000_000_000;
const isLong = process.env['MICA_LONG'] === '1';
const timeout = isLong ? 3_600_000 : 120_000;
const worlds: ControllerWorld[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.halt();
});

/** One node that its policy has, with pods that have to move over to another one, by a budget one after the other. */
function worldOf(more: Partial<ControllerWorldOptions> = {}): ControllerWorld {
  const world = new ControllerWorld(solve, {
    nodes: { 'gpu-1': [{ '1g.10gb': 7 }], 'gpu-2': [{ '1g.10gb': 7 }] },
    labels: { 'gpu-1': { pool: 'a' } },
    policies: { a: { nodeSelector: { pool: 'a' }, evictions: 'Allowed', cooldownMs: 60_000 } },
    ...{ looksEachMs: 4_000, latencyMs: 20 },
    ...more,
  });
  worlds.push(world);
  world.cluster.budgets.push({ name: 'embed', app: 'embed', minAvailable: 1 });
  world.controllers.run({ app: 'embed', slice: '1g.10gb', replicas: 2 });
  world.clock.in(10_000, () => world.controllers.run({ app: 'big', slice: '4g.40gb' }));
  return world;
}

/** Served, and nothing is left over. */
async function endsWell(world: ControllerWorld, what: string, minutes = 40): Promise<void> {
  await world.run(0.5);
  await world.settle(minutes);
  const { isCordoned, annotations } = world.cluster.node('gpu-1');
  const at = `${what}\n${world.cluster.log.join('\n')}`;
  expect(world.cluster.broken, at).toEqual([]);
  expect(world.waiting(), at).toEqual([]);
  expect([isCordoned, annotations['mica.dev/change']], at).toEqual([false, undefined]);
  expect(JSON.parse(annotations['mica.dev/last-change'] ?? '{}'), at).toMatchObject({ outcome: 'done' });
  expect(world.cluster.mostAway, at).toBe(1);
  expect(
    world.laws.evicted.filter((name) => !name.startsWith('embed')),
    at,
  ).toEqual([]);
}

async function callsOf(): Promise<number> {
  const world = worldOf();
  const a = world.start();
  await endsWell(world, 'undisturbed');
  await world.stop();
  world.halt();
  expect(world.laws.begun).toHaveLength(1);
  expect(new Set(world.laws.evicted)).toEqual(new Set(['embed-1', 'embed-2']));
  return a.calls;
}

const kinds = ['conflict', 'too-many', 'unreachable', 'lost', 'gone', 'forbidden', 'invalid'] as const;

describe('one call fails', () => {
  it('in each way, whichever it is', { timeout }, async () => {
    const calls = await callsOf();
    expect(calls).toBeGreaterThan(50);
    for (const [index, kind] of kinds.entries()) {
      for (let at = isLong ? 1 : 1 + index * 16; at <= calls; at += isLong ? 1 : 16 * kinds.length) {
        const world = worldOf();
        let name = '';
        world.cluster.fault = (call, count) => {
          if (count !== at) return null;
          name = call;
          return kind;
        };
        world.start();
        await endsWell(world, `${kind} at ${at} (${name})`).catch((error: unknown) => {
          throw new Error(`${kind} at ${at} (${name})`, { cause: error });
        });
        world.halt();
      }
    }
  });

  it.each<[string, ApiRefusal['kind']]>([
    ['event ', 'forbidden'],
    ['policies.writeStatus', 'forbidden'],
    ['policies.writeStatus', 'unreachable'],
    ['policies.writeStatus', 'conflict'],
  ])('%s always (%s): pods are served all the same', async (call, kind) => {
    const world = worldOf();
    world.cluster.fault = (name) => (name.startsWith(call) ? kind : null);
    const a = world.start();
    await endsWell(world, `${call} ${kind}`);
    const troubles = a.news.filter((one) => one.kind === 'trouble');
    expect(troubles.length).toBeGreaterThan(0);
    // Once each, not at each try.
    expect(troubles.length).toBeLessThan(4);
    await world.stop();
  });

  it.each(['patch node', 'apply configmap', 'evict ', 'get node'])(
    '%s is forbidden for good: the node is as it was, and the policy says so',
    async (call) => {
      const world = worldOf();
      world.cluster.fault = (name) => (name.startsWith(call) ? 'forbidden' : null);
      world.start();
      await world.run(60);
      expect(world.cluster.broken).toEqual([]);
      expect(world.cluster.node('gpu-1').isCordoned).toBe(false);
      expect(world.laws.begun.length).toBeLessThan(9);
      expect(world.policies.condition('a', 'Progressing')).toMatch(/False (Refused|CoolsDown)/);
      await world.stop();
    },
  );
});

describe('many calls fail', () => {
  it('at random, for an hour', { timeout }, async () => {
    for (let seed = 1; seed <= (isLong ? 60 : 2); seed += 1) {
      const world = worldOf();
      let state = seed * 7919;
      const next = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
      world.cluster.fault = () => (next() < 0.2 ? (kinds[Math.floor(next() * 4)] ?? null) : null);
      world.start('a');
      world.start('b');
      await world.run(60);
      world.cluster.fault = () => null;
      await endsWell(world, `seed ${seed}`, 120);
      await world.stop();
    }
  });

  it('all of them, for a while', { timeout }, async () => {
    for (let second = 5; second < 200; second += isLong ? 5 : 90) {
      const world = worldOf();
      world.start('a');
      world.clock.in(second * 1_000, () => (world.cluster.fault = () => 'unreachable'));
      world.clock.in(second * 1_000 + 400_000, () => (world.cluster.fault = () => null));
      await world.run(second / 60 + 7);
      await endsWell(world, `nothing answers from ${second} s on`, 90);
      await world.stop();
    }
  });

  it('the watch breaks, and is listed anew', { timeout }, async () => {
    for (let second = 1; second < 180; second += isLong ? 1 : 45) {
      const world = worldOf({ lagMs: second % 2 === 0 ? 0 : 4_000 });
      world.start('a');
      world.clock.in(second * 1_000, () => world.shown.breakDown(30_000));
      await endsWell(world, `watch broken at ${second} s`);
      // Whoever looks after it sees that it lives.
      const turns = world.processes[0]?.count('turn') ?? 0;
      expect(turns).toBeGreaterThan((world.clock.nowMs() - worldStartMs) / 31_000 - 2);
      await world.stop();
    }
  });
});

describe('a controller dies', () => {
  it.each<Death['how']>(['before', 'after', 'told'])(
    'at any call (%s), and another one goes on',
    { timeout },
    async (how) => {
      const calls = await callsOf();
      const step = isLong ? 1 : 17;
      const first = { before: 3, after: 9, told: 14 }[how];
      for (let at = isLong ? 1 : first; at <= calls; at += step) {
        const world = worldOf({ lagMs: at % 2 === 0 ? 0 : 3_500 });
        const a = world.start('a', { at, how });
        world.start('b');
        await endsWell(world, `${how} ${at}`).catch((error: unknown) => {
          throw new Error(`${how} ${at}`, { cause: error });
        });
        expect(how === 'told' ? a.hasEnded : a.isDead, `${how} ${at}`).toBe(true);
        // Well before a kubelet loses its patience.
        if (how === 'told') expect(a.endedMs - a.toldMs, `${how} ${at}`).toBeLessThan(2_000);
        expect(world.laws.begun.length, `${how} ${at}`).toBe(1);
        await world.stop();
        if (how === 'told')
          expect([world.shown.open, world.policies.open, world.lease.holder]).toEqual([0, 0, '']);
        world.halt();
      }
    },
  );

  it('told to end in the middle of a round, it ends at once, where nothing else happens either', async () => {
    const nodes = { 'gpu-1': [{ '1g.10gb': 7 }] };
    const world = new ControllerWorld(solve, { nodes, policies: { a: {} }, latencyMs: 20 });
    worlds.push(world);
    const a = world.start('a');
    world.cluster.fault = (call) => {
      if (call === 'policies.writeStatus') void a.stop();
      return null;
    };
    await world.run(1);
    expect(a.endedMs - a.toldMs).toBeLessThan(1_000);
    expect(world.lease.holder).toBe('');
  });

  it('again and again', { timeout }, async () => {
    for (const every of isLong ? [3, 5, 9, 13, 17, 23, 31] : [9, 23]) {
      const world = worldOf();
      for (let round = 0; round < 12; round += 1) {
        world.start(`c${round}`, { at: every, how: round % 2 === 0 ? 'before' : 'after' });
        await world.run(0.7);
      }
      world.start('last');
      await endsWell(world, `every ${every}`);
      await world.stop();
    }
  });

  it('and does not act any more once it cannot renew its lease', { timeout }, async () => {
    for (let second = 1; second < 200; second += isLong ? 1 : 50) {
      const world = worldOf();
      const a = world.start('a');
      await world.run(0.05);
      world.start('b');
      world.clock.in(second * 1_000, () => world.lease.cutOff.add('a'));
      await endsWell(world, `cut off at ${second} s`);
      expect(world.lease.holder).toBe('b');
      expect(a.count('stepped-down')).toBe(1);
      await world.stop();
    }
  });
});
