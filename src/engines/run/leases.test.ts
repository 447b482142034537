/** Leases from taking to taking back. Long, since all stories are told of one made world. */
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LeaseWish } from '#core/run/slice';
import type { RunStore } from '#ports/run-store';
import { runWorld, type Actor, type RunWorld } from '../../../test/support/run-world.js';
import { openDesk, ownCaller } from './desk/open-desk.js';
import { leasesOn } from './leases-on.js';
import type { AcquireAnswer, AcquireOptions, Lease } from './leases.js';
import { machineSlices } from './machine-slices.js';
import { meterOf, watchMemory } from './peak-memory.js';

const any: LeaseWish = { slice: { kind: 'any' }, count: 1, tenant: null, priority: 0 };
const long = process.env['MICA_LONG'] === '1';

function acquire(
  { ports }: Actor,
  wish: Partial<LeaseWish> = {},
  options: Partial<AcquireOptions> = {},
): Promise<AcquireAnswer> {
  return leasesOn(ports).acquire(
    { ...any, ...wish },
    {
      waitMs: null,
      signal: new AbortController().signal,
      onQueued: () => undefined,
      command: ['pytest'],
      ...options,
    },
  );
}

async function leased(actor: Actor, wish: Partial<LeaseWish> = {}): Promise<Lease> {
  const answer = await acquire(actor, wish);
  if (!answer.ok) throw new Error(answer.why.message);
  return answer.lease;
}

const now = { waitMs: 0 };
const leaseIds = (world: RunWorld) => world.store.read((tables) => tables.leases().map(({ id }) => id));
const shut = (world: RunWorld) => world.store.read((tables) => tables.quarantined());

async function twoSlices(): Promise<RunWorld> {
  const world = runWorld('rtx-pro-6000:1');
  onTestFinished(world.close);
  await world.cut(0, '2g.48gb:0', '2g.48gb:6');
  return world;
}

function only<T>([first]: readonly T[]): T {
  if (first === undefined) throw new Error('there is none');
  return first;
}

describe('a lease', () => {
  it('is exclusive, and goes to the next when it is released', async () => {
    const world = await twoSlices();
    const actor = world.actor();
    const [one, two] = [await leased(actor), await leased(actor)];
    expect(new Set([only(one.slices).id, only(two.slices).id]).size).toBe(2);
    const said: string[] = [];
    const waiting = acquire(
      world.actor(),
      {},
      { onQueued: ({ place, why }) => said.push(`${place}: ${why}`) },
    );
    await world.clock.sleep(5000);
    expect(said).toEqual(['1: 2 of 2 that would do are leased']);
    expect(await one.release()).toEqual({ ok: true });
    expect(await one.release()).toEqual({ ok: true });
    const third = await waiting;
    expect(third.ok && only(third.lease.slices).id).toBe(only(one.slices).id);
    expect(await world.store.read((tables) => tables.requests())).toEqual([]);
    const [used] = await world.store.read((tables) => tables.usage(0));
    expect(used).toMatchObject({ lease: one.id, slices: [{ profile: '2g.48gb', sizeUnits: 6 }] });
  });

  it('is kept for as long as its holder lives', async () => {
    const world = await twoSlices();
    const lease = await leased(world.actor(), { count: 2 });
    const waiting = acquire(world.actor(), {}, { waitMs: 600_000 });
    expect(await waiting).toMatchObject({ ok: false, why: { kind: 'timed-out' } });
    expect(lease.lost.aborted).toBe(false);
    expect(await leaseIds(world)).toEqual([lease.id]);
  });

  it('is refused with the reason', async () => {
    const world = await twoSlices();
    const refusal = async (wish: Partial<LeaseWish>, options: Partial<AcquireOptions>) => {
      const answer = await acquire(world.actor(), wish, options);
      return answer.ok ? 'granted' : `${answer.why.kind}: ${answer.why.message}`;
    };
    expect(await refusal({ count: 3 }, {})).toBe(
      'impossible: 3 slices cannot be leased: this machine has 2 x 2g.48gb',
    );
    await leased(world.actor(), { count: 2 });
    expect(await refusal({}, now)).toBe('timed-out: 2 of 2 that would do are leased');
    const stop = new AbortController();
    const aborted = refusal({}, { signal: stop.signal });
    await world.clock.sleep(700);
    stop.abort();
    expect(await aborted).toMatch(/^aborted/);
    expect(await world.store.read((tables) => tables.requests())).toEqual([]);
  });

  it('is not of a slice that strangers are in, which are not touched', async () => {
    const world = await twoSlices();
    const [first, second] = await machineSlices(world.driver);
    if (first === undefined || second === undefined) throw new Error('no slices');
    await world.machine.addClient(first.gpuUuid, {
      pid: 9,
      name: 'python',
      usedMiB: 1,
      instanceId: first.instanceId,
    });
    const lease = await leased(world.actor());
    expect(only(lease.slices).id).toBe(second.id);
    const answer = await acquire(world.actor(), {}, now);
    expect(!answer.ok && answer.why.message).toContain('python (pid 9) without a lease in');
    expect(await shut(world)).toEqual([]);
    const waiting = acquire(world.actor());
    world.clock.in(3000, () => world.machine.removeClient(first.gpuUuid, 9));
    expect(await waiting).toMatchObject({ ok: true, lease: { slices: [{ id: first.id }] } });
  });
});

describe('clean', () => {
  it('ends what a group left behind, and keeps the lease', async () => {
    const world = await twoSlices();
    const actor = world.actor();
    const lease = await leased(actor);
    for (const manner of ['polite', 'stubborn'] as const) {
      const group = await actor.start(only(lease.slices), manner);
      await lease.bind(group);
      expect((await world.store.read((tables) => tables.leases()))[0]?.groups).toEqual([group]);
      expect(await lease.clean()).toEqual({ ok: true });
      expect(world.isAlive(group)).toBe(false);
      expect((await world.store.read((tables) => tables.leases()))[0]?.groups).toEqual([]);
    }
    expect(await lease.release()).toEqual({ ok: true });
  });

  it('shuts a slice with something in it that will not go', async () => {
    const world = await twoSlices();
    const actor = world.actor();
    const lease = await leased(actor);
    const { id } = only(lease.slices);
    await lease.bind(await actor.start(only(lease.slices), 'undying'));
    const answer = await lease.release();
    expect(answer).toEqual({
      ok: false,
      quarantined: [{ slice: id, why: expect.stringContaining('job (pid') }],
    });
    expect((await shut(world)).map(({ slice }) => slice)).toEqual([id]);
    expect(only((await leased(world.actor())).slices).id).not.toBe(id);
    expect(await acquire(world.actor(), { count: 2 }, now)).toMatchObject({
      why: { kind: 'impossible', message: expect.stringContaining('is in quarantine (job (pid') },
    });
  });

  it('shuts what its holder says is broken, and what the driver does not answer about', async () => {
    const world = await twoSlices();
    const actor = world.actor();
    const lease = await leased(actor);
    await lease.quarantine(only(lease.slices).id, 'Xid 79');
    await lease.release();
    expect(await shut(world)).toMatchObject([{ slice: only(lease.slices).id, why: 'Xid 79' }]);
    const other = await leased(actor);
    for (let nth = 1; nth < 500; nth += 1) world.faults.failOn('processes', nth, 'lost');
    expect(await other.release()).toMatchObject({ ok: false });
  });
});

describe('a holder that', () => {
  it('died: its program is ended before its slice goes to the next', async () => {
    const world = await twoSlices();
    const actor = world.actor();
    const lease = await leased(actor, { count: 2 });
    const group = await actor.start(only(lease.slices), 'stubborn');
    await lease.bind(group);
    actor.die();
    const next = await leased(world.actor(), { count: 2 });
    expect(world.isAlive(group)).toBe(false);
    expect(await leaseIds(world)).toEqual([next.id]);
    expect(await world.store.read((tables) => tables.usage(0))).toMatchObject([{ lease: lease.id }]);
    expect(await shut(world)).toEqual([]);
  });

  it('died with something undying: the slice is shut, the others are given back', async () => {
    const world = await twoSlices();
    const actor = world.actor();
    const lease = await leased(actor, { count: 2 });
    await lease.bind(await actor.start(only(lease.slices), 'undying'));
    actor.die();
    const next = await leased(world.actor());
    expect(lease.slices.map(({ id }) => id)).toContain(only(next.slices).id);
    expect((await shut(world)).map(({ slice }) => slice)).toEqual([only(lease.slices).id]);
  });

  it('slept for longer than the TTL has lost the lease, and nothing more begins there', async () => {
    const world = await twoSlices();
    const actor = world.actor();
    const lease = await leased(actor, { count: 2 });
    const group = await actor.start(only(lease.slices));
    await lease.bind(group);
    actor.stop(100_000);
    const next = await leased(world.actor());
    expect(world.isAlive(group)).toBe(false);
    expect(lease.lost.aborted).toBe(false);
    await expect(lease.bind({ pid: 1, startedAt: '1', bootId: null })).rejects.toMatchObject({
      code: 'lease-lost',
    });
    expect(lease.lost.aborted).toBe(true);
    expect(await lease.release()).toEqual({ ok: true });
    expect(await leaseIds(world)).toEqual([next.id]);
  });

  it('lives is not robbed by somebody who slept with it, and woke first', async () => {
    const world = await twoSlices();
    const [holder, sleeper] = [world.actor(), world.actor()];
    const lease = await leased(holder, { count: 2 });
    const waiting = acquire(sleeper, {}, { waitMs: 300_000 });
    await world.clock.sleep(500);
    holder.stop(210_000);
    sleeper.stop(200_000);
    expect(await waiting).toMatchObject({ why: { kind: 'timed-out' } });
    expect(lease.lost.aborted).toBe(false);
  });

  it("died while it waited stands in nobody's way", async () => {
    const world = await twoSlices();
    const first = await leased(world.actor());
    const waiter = world.actor();
    void acquire(waiter, { count: 2 });
    await world.clock.sleep(1000);
    const small = acquire(world.actor(), {}, { waitMs: 5000 });
    expect(await small).toMatchObject({ why: { kind: 'timed-out' } });
    waiter.die();
    expect(await acquire(world.actor(), {}, now)).toMatchObject({ ok: true });
    expect(first.lost.aborted).toBe(false);
  });

  it('died while it waited, or is silent, is not in the queue, though nobody asks', async () => {
    const world = await twoSlices();
    await leased(world.actor());
    const [dead, silent] = [world.actor(), world.actor()];
    for (const waiter of [dead, silent]) void acquire(waiter, { count: 2 });
    await world.clock.sleep(1000);
    dead.die();
    silent.stop(600_000);
    const desk = openDesk(world.actor().ports);
    const waiting = () => world.store.read((tables) => tables.requests().length);
    await desk.tidy();
    expect(await waiting()).toBe(1);
    for (let second = 0; second < 40; second += 1) {
      await world.clock.sleep(1000);
      await desk.tidy();
    }
    expect(await waiting()).toBe(0);
  });

  it('died while it took a lease back is followed by the next', async () => {
    const world = await twoSlices();
    const [dead, second] = [world.actor(), world.actor()];
    const lease = await leased(dead, { count: 2 });
    await lease.bind(await dead.start(only(lease.slices), 'stubborn'));
    dead.die();
    void acquire(second);
    await world.clock.sleep(1000);
    expect((await world.store.read((tables) => tables.leases()))[0]?.state.kind).toBe('reclaiming');
    second.die();
    expect((await leased(world.actor(), { count: 2 })).slices).toHaveLength(2);
  });
});

it('an observer that stopped while it took a lease back leaves it to the one that followed', async () => {
  const world = await twoSlices();
  const [dead, slow] = [world.actor(), world.actor()];
  const lease = await leased(dead, { count: 2 });
  await lease.bind(await dead.start(only(lease.slices), 'stubborn'));
  dead.die();
  void acquire(slow, { priority: 0 }, { waitMs: 1500 });
  await world.clock.sleep(1000);
  slow.stop(100_000);
  const next = await leased(world.actor(), { count: 2 });
  await world.clock.sleep(120_000);
  expect(await leaseIds(world)).toEqual([next.id]);
  expect(await world.store.read((tables) => tables.usage(0).map((use) => use.lease))).toEqual([lease.id]);
});

it('what was used, and what is shut, is on the disk for good', async () => {
  const world = await twoSlices();
  const [dead, holder] = [world.actor(), world.actor()];
  const fleeting: string[] = [];
  const noted = ({ ports }: Actor): Actor['ports'] => {
    const transact: RunStore['transact'] = (work, options) =>
      ports.store.transact((tables) => {
        const note = (what: string): void => {
          if (options?.durable !== true) fleeting.push(what);
        };
        return work({
          ...tables,
          addUsage: (usage) => {
            note('usage');
            tables.addUsage(usage);
          },
          putQuarantine: (record) => {
            note(record.why);
            tables.putQuarantine(record);
          },
        });
      }, options);
    return { ...ports, store: { ...ports.store, transact } };
  };
  const lease = await leased(dead, { count: 2 });
  await lease.bind(await dead.start(only(lease.slices), 'undying'));
  dead.die();
  const next = await leased({ ...holder, ports: noted(holder) });
  await next.quarantine(only(next.slices).id, 'Xid 79');
  await next.bind(await holder.start(only(next.slices), 'undying'));
  await next.release();
  expect((await shut(world)).length).toBe(2);
  expect((await world.store.read((tables) => tables.usage(0))).length).toBe(2);
  expect(fleeting).toEqual([]);
});

describe('a clock that is turned back', () => {
  const back = (actor: Actor): Actor => {
    const { nowMs } = actor.ports.clock;
    return {
      ...actor,
      ports: { ...actor.ports, clock: { ...actor.ports.clock, nowMs: () => nowMs() - 3_600_000 } },
    };
  };

  it('keeps no lease from being taken back that somebody could not empty', async () => {
    const world = await twoSlices();
    const [dead, first] = [world.actor(), world.actor()];
    await leased(dead, { count: 2 });
    dead.die();
    const taken = { kind: 'reclaiming', by: first.mark, sinceMs: world.clock.nowMs() } as const;
    await world.store.transact((tables) => {
      for (const lease of tables.leases()) tables.putLease({ ...lease, state: taken });
    });
    expect(await leased(back(world.actor()), { count: 2 })).toMatchObject({ id: expect.any(String) });
  });

  it('costs nobody the place in the queue', async () => {
    const world = await twoSlices();
    await leased(world.actor(), { count: 2 });
    const [waiter, other] = [world.actor(), world.actor()].map(back) as [Actor, Actor];
    const asked = { id: 'w', wish: any, command: [], queue: true };
    const watching = openDesk(other.ports);
    await openDesk(world.actor().ports).for(ownCaller(waiter.ports)).ask(asked);
    const before = await world.store.read((tables) => tables.requests());
    const desk = openDesk(waiter.ports).for(ownCaller(waiter.ports));
    for (let second = 0; second < 60; second += 1) {
      await world.clock.sleep(1000);
      await desk.ask(asked);
      await watching.tidy();
    }
    expect(await world.store.read((tables) => tables.requests())).toMatchObject([
      { id: 'w', askedMs: before[0]?.askedMs },
    ]);
  });
});

describe('the end of a lease by somebody else', () => {
  it('asks the holder, and empties the slices where it ends without giving them back', async () => {
    const world = await twoSlices();
    const [holder, other] = [world.actor(), world.actor()];
    const lease = await leased(holder);
    const group = await holder.start(only(lease.slices));
    await lease.bind(group);
    const signals: string[] = [];
    const processes = {
      ...other.ports.processes,
      signal: (pid: number, _: string, signal: string) => {
        signals.push(`${signal} ${pid}`);
        if (signal === 'SIGKILL') holder.die();
        return true;
      },
    };
    const { desk } = leasesOn({ ...other.ports, processes });
    expect(await desk.end('nobody')).toMatchObject({ why: { kind: 'unknown' } });
    expect(await desk.end(lease.id)).toEqual({ ok: true, quarantined: [] });
    expect(signals).toEqual([`SIGTERM ${holder.mark.pid}`, `SIGKILL ${holder.mark.pid}`]);
    expect(world.isAlive(group)).toBe(false);
    expect(await leaseIds(world)).toEqual([]);
  });
});

describe('watchMemory', () => {
  it('keeps the most that was seen, of a slice and of a whole GPU', async () => {
    const world = runWorld('rtx-pro-6000:1,t4:1');
    await world.cut(0, '2g.48gb:0');
    const slices = await machineSlices(world.driver);
    const use = async (pid: number, usedMiB: number): Promise<void> => {
      for (const { gpuUuid, instanceId } of slices)
        await world.machine.addClient(gpuUuid, { pid, usedMiB, instanceId });
    };
    const watches = slices.map((slice) =>
      watchMemory({ meter: meterOf(world.driver), clock: world.clock }, [slice]),
    );
    await use(1, 1000);
    await use(2, 500);
    await world.clock.sleep(3000);
    for (const { gpuUuid } of slices) await world.machine.removeClient(gpuUuid, 1);
    await world.clock.sleep(3000);
    for (const peak of watches) expect(await peak.end()).toBeGreaterThanOrEqual(1500);
  });
});

describe('many holders', () => {
  const life = fc.record({
    atMs: fc.integer({ min: 0, max: 60_000 }),
    count: fc.integer({ min: 1, max: 3 }),
    profile: fc.constantFrom(null, '1g.24gb', '2g.48gb'),
    priority: fc.integer({ min: 0, max: 2 }),
    runMs: fc.integer({ min: 0, max: 20_000 }),
    manner: fc.constantFrom('polite', 'stubborn'),
    fate: fc.oneof(
      { weight: 3, arbitrary: fc.constant({ kind: 'lives' as const, atMs: 0, forMs: 0 }) },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('dies' as const),
          atMs: fc.integer({ min: 0, max: 90_000 }),
          forMs: fc.constant(0),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('stops' as const),
          atMs: fc.integer({ min: 0, max: 90_000 }),
          forMs: fc.integer({ min: 1000, max: 120_000 }),
        }),
      },
    ),
  });

  it(
    'that die and stop at random never meet on a slice, and all who live are served',
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(life, { minLength: 2, maxLength: 12 }), async (lives) => {
          const world = runWorld('rtx-pro-6000:2');
          await world.cut(0, '1g.24gb:0', '1g.24gb:3', '2g.48gb:6');
          await world.cut(1, '2g.48gb:0', '1g.24gb:6', '1g.24gb:9');
          const outcomes = lives.map(async ({ atMs, count, profile, priority, runMs, manner, fate }) => {
            const actor = world.actor();
            if (fate.kind === 'dies') world.clock.in(fate.atMs, () => actor.die());
            if (fate.kind === 'stops') world.clock.in(fate.atMs, () => actor.stop(fate.forMs));
            await actor.ports.clock.sleep(atMs);
            const slice = profile === null ? any.slice : ({ kind: 'profile', profile } as const);
            const most = profile === '2g.48gb' ? 2 : 3;
            const lease = await leased(actor, { count: Math.min(count, most), slice, priority });
            for (const one of lease.slices) {
              // As the job runner does it: written down first, begun after that.
              const group = await actor.gate(one, manner);
              const isBound = await lease.bind(group).then(
                () => true,
                () => false,
              );
              if (!isBound) return world.end(group);
              await actor.open(group);
              await actor.ports.clock.sleep(runMs);
              await world.end(group);
            }
            await lease.release();
          });
          const survivors = outcomes.filter((_, index) => lives[index]?.fate.kind !== 'dies');
          const tooLate = world.clock
            .sleep(7_200_000)
            .then(() => Promise.reject(new Error('somebody starves')));
          await Promise.race([Promise.all(survivors), tooLate]);
          expect(world.clashes).toEqual([]);
          expect(await shut(world)).toEqual([]);
          // Whoever comes now gets the whole machine: nothing leaked.
          const last = await leased(world.actor(), { count: 6 });
          expect(await leaseIds(world)).toEqual([last.id]);
          expect(world.clashes).toEqual([]);
          world.close();
        }),
        { numRuns: long ? 500 : 25 },
      );
    },
  );
});
