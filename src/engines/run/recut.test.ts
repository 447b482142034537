/** Cutting GPUs anew for whoever waits: what is busy never goes, and what was cut is leased by whom it was cut for. */
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { wanted } from '../../../test/support/change-machine.js';
import { MemoryJournal } from '../../../test/support/memory-journal.js';
import { runWorld, type Actor, type RunWorld } from '../../../test/support/run-world.js';
import type { SliceWish } from '#core/run/slice';
import { changeGpus } from '../change/change.js';
import type { ChangePorts } from '../change/ports.js';
import { recutCards } from '../change/recut-cards.js';
import { leasesOn } from './leases-on.js';
import type { AcquireAnswer, AcquireOptions } from './leases.js';
import { machineSlices } from './machine-slices.js';
import { recutting, type RecutEvent } from './recut.js';
import { reserving } from './reserve.js';

interface Cutting {
  readonly journal: MemoryJournal;
  readonly events: RecutEvent[];
  readonly acquire: (
    actor: Actor,
    slice: SliceWish,
    options?: Partial<AcquireOptions> & { readonly count?: number },
  ) => Promise<AcquireAnswer>;
}

function changeOn({ ports }: Actor, journal: MemoryJournal): ChangePorts {
  const guard = reserving({ open: async () => ports, command: ['mica', 'run', '--recut'] });
  return {
    ...ports,
    processes: { ...ports.processes, pidNamespace: () => null, signal: () => false, nameOf: () => null },
    journal,
    guard,
  };
}

function cutting(journal = new MemoryJournal()): Cutting {
  const events: RecutEvent[] = [];
  return {
    journal,
    events,
    acquire: (actor, slice, { count = 1, ...options } = {}) => {
      const change = changeOn(actor, journal);
      const { desk, ...leases } = leasesOn(actor.ports);
      return recutting({
        ...{ leases, desk, driver: actor.ports.driver, clock: actor.ports.clock, self: actor.mark },
        cards: (isFree) => recutCards(change, isFree),
        cut: async ({ gpuUuid, placements }) => {
          const answer = await changeGpus(change, [{ gpu: gpuUuid, want: { mig: true, placements } }]);
          if (answer.outcome === 'done') return { ok: true };
          const why = answer.gpus[0]?.why?.message ?? answer.outcome;
          return { ok: false, refused: answer.outcome === 'refused', why };
        },
        onRecut: (event) => void events.push(event),
      }).acquire(
        { slice, count, tenant: null, priority: 0 },
        {
          waitMs: 0,
          signal: new AbortController().signal,
          onQueued: () => undefined,
          command: ['pytest'],
          ...options,
        },
      );
    },
  };
}

/** Cut by Mica, so that it may be cut anew. */
async function worldOf(
  gpus: string,
  journal: MemoryJournal,
  ...places: readonly string[]
): Promise<RunWorld> {
  const world = runWorld(gpus);
  onTestFinished(world.close);
  if (places.length > 0) {
    const answer = await changeGpus(changeOn(world.actor(), journal), [wanted(0, ...places)]);
    expect(answer.outcome).toBe('done');
  }
  return world;
}

const profile = (name: string): SliceWish => ({ kind: 'profile', profile: name });
const names = async ({ driver }: RunWorld) =>
  (await machineSlices(driver)).map((one) =>
    one.profile === null ? 'whole' : `${one.profile}:${one.start}`,
  );
const got = (answer: AcquireAnswer) =>
  answer.ok ? answer.lease.slices.map((one) => `${one.profile}:${one.start}`) : answer.why;

describe('a lease with --recut', () => {
  it('cuts free units, idle slices and at last a whole GPU, and never what is leased or in quarantine', async () => {
    const { journal, acquire } = cutting();
    const world = await worldOf('h100:2', journal, '1g.10gb:0', '1g.10gb:1');
    const first = await acquire(world.actor(), profile('3g.40gb'));
    expect(got(first)).toEqual(['3g.40gb:4']);
    const quarantined = (await machineSlices(world.driver)).find(({ start }) => start === 0)?.id ?? '';
    await world.store.transact((tables) =>
      tables.putQuarantine({ slice: quarantined, why: 'Xid 94', sinceMs: 1 }),
    );
    expect(got(await acquire(world.actor(), profile('2g.20gb')))).toEqual(['2g.20gb:2']);
    // One 1g is in quarantine, the other idle and no use.
    expect(got(await acquire(world.actor(), profile('3g.40gb')))).toEqual(['3g.40gb:4']);
    expect(await names(world)).toEqual(['1g.10gb:0', '1g.10gb:1', '2g.20gb:2', '3g.40gb:4', '3g.40gb:4']);
    expect((await world.store.read((tables) => tables.quarantined())).length).toBe(1);
  });

  it('takes several slices at once, counting those that are free', async () => {
    const { journal, acquire, events } = cutting();
    const world = await worldOf('h100:1', journal, '3g.40gb:4', '1g.10gb:0');
    expect(got(await acquire(world.actor(), { kind: 'memory', memoryMiB: 15_000 }, { count: 2 }))).toEqual([
      expect.stringMatching(/^\dg\.20gb/),
      '3g.40gb:4',
    ]);
    expect(events).toMatchObject([{ kind: 'cutting', recut: { destroyed: [], switches: false } }]);
  });

  it('waits in the queue as any other, and cuts what gets free meanwhile', async () => {
    const { journal, acquire } = cutting();
    const world = await worldOf('h100:1', journal, '3g.40gb:0', '3g.40gb:4');
    const holders = [
      await acquire(world.actor(), { kind: 'any' }),
      await acquire(world.actor(), { kind: 'any' }),
    ];
    const refused = await acquire(world.actor(), profile('7g.80gb'));
    expect(got(refused)).toMatchObject({
      kind: 'timed-out',
      message: expect.stringMatching(/cannot be leased.*GPU 0 can be cut .* once what is busy there is free/),
    });
    const said: string[] = [];
    const waiting = acquire(world.actor(), profile('7g.80gb'), {
      waitMs: null,
      onQueued: ({ why }) => void said.push(why),
    });
    for (const [place, holder] of holders.entries()) {
      world.clock.in(3_000 * (place + 1), async () => holder.ok && holder.lease.release());
    }
    expect(got(await waiting)).toEqual(['7g.80gb:0']);
    expect(said).toEqual([expect.stringContaining('once what is busy there is free')]);
  });

  it('leaves what somebody else waits for, what Mica did not make, and what has a process in it', async () => {
    const { journal, acquire } = cutting();
    const world = await worldOf('h100:1', journal, '3g.40gb:0', '3g.40gb:4');
    const held = await acquire(world.actor(), { kind: 'any' });
    const other = acquire(world.actor(), profile('3g.40gb'), { count: 2, waitMs: 20_000 });
    await world.clock.sleep(1_000);
    expect(got(await acquire(world.actor(), profile('1g.10gb')))).toMatchObject({ kind: 'timed-out' });
    if (held.ok) await held.lease.release();
    const pair = await other;
    expect(got(pair)).toHaveLength(2);
    if (pair.ok) await pair.lease.release();
    const [first] = await machineSlices(world.driver);
    await world.machine.addClient(first?.gpuUuid ?? '', {
      ...{ pid: 7, name: 'python', usedMiB: 5, instanceId: first?.instanceId ?? null },
    });
    expect(got(await acquire(world.actor(), profile('7g.80gb')))).toMatchObject({ kind: 'timed-out' });
    const strange = await worldOf('h100:1', new MemoryJournal());
    await strange.cut(0, '3g.40gb:0', '3g.40gb:4');
    expect(got(await cutting().acquire(strange.actor(), profile('7g.80gb')))).toMatchObject({
      kind: 'impossible',
      message: expect.stringContaining('Mica did not make it'),
    });
  });

  it('needs a reset for nobody: a card that takes one is left as it is', async () => {
    const { acquire } = cutting();
    const world = await worldOf('a100-80gb:1', new MemoryJournal());
    expect(got(await acquire(world.actor(), profile('3g.40gb')))).toMatchObject({
      kind: 'impossible',
      message: expect.stringContaining('switching it takes a reset'),
    });
    expect(await names(world)).toEqual(['whole']);
  });

  it('puts everything back where the driver fails, says why, and does not try again', async () => {
    const { journal, acquire, events } = cutting();
    const world = await worldOf('h100:1', journal, '1g.10gb:0', '3g.40gb:4');
    world.faults.failOn('createGpuInstance', 3, 'unknown');
    const answer = await acquire(world.actor(), profile('4g.40gb'), { waitMs: 10_000 });
    expect(got(answer)).toMatchObject({ message: expect.stringContaining('could not be cut anew') });
    expect(events.map(({ kind }) => kind)).toEqual(['cutting', 'failed']);
    expect(await names(world)).toEqual(['1g.10gb:0', '3g.40gb:4']);
    expect(await world.store.read((tables) => tables.leases())).toEqual([]);
  });

  it('never takes a slice that somebody has, whoever races', async () => {
    const anyWish = fc.constantFrom('1g.10gb', '2g.20gb', '3g.40gb', '7g.80gb');
    const asks = fc.array(
      fc.record({ atMs: fc.nat(2_000), wish: anyWish, holdMs: fc.nat(1_500), waits: fc.boolean() }),
      { minLength: 3, maxLength: 10 },
    );
    await fc.assert(
      fc.asyncProperty(asks, async (all) => {
        const { journal, acquire } = cutting();
        const world = runWorld('h100:1');
        await changeGpus(changeOn(world.actor(), journal), [wanted(0, '3g.40gb:0', '3g.40gb:4')]);
        const taken: string[] = [];
        let granted = 0;
        const ends = all.map(async ({ atMs, wish, holdMs, waits }) => {
          await world.clock.sleep(atMs);
          const actor = world.actor();
          const answer = await acquire(actor, profile(wish), { waitMs: waits ? 60_000 : 0 });
          if (!answer.ok) return waits ? void taken.push(`${wish}: ${answer.why.message}`) : undefined;
          granted += 1;
          const group = await actor.start(answer.lease.slices[0]!);
          await answer.lease.bind(group);
          await world.clock.sleep(holdMs);
          const ids = (await machineSlices(world.driver)).map(({ id }) => id);
          if (!ids.includes(answer.lease.slices[0]?.id ?? '')) taken.push(wish);
          await answer.lease.release();
        });
        await Promise.all(ends);
        expect(taken).toEqual([]);
        expect(world.clashes).toEqual([]);
        expect(granted).toBeGreaterThan(0);
        expect(await world.store.read((tables) => tables.leases())).toEqual([]);
        world.close();
      }),
      { numRuns: process.env['MICA_LONG'] === '1' ? 300 : 25 },
    );
  });
});
