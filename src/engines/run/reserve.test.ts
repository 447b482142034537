/** A change of the GPUs and leases of their slices: neither ever takes a slice from the other. */
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryJournal } from '../../../test/support/memory-journal.js';
import { runWorld, type Actor, type RunWorld } from '../../../test/support/run-world.js';
import { changeGpus } from '../change/change.js';
import type { ChangeOptions } from '../change/options.js';
import type { ChangePorts } from '../change/ports.js';
import { resumeChanges } from '../change/resume.js';
import { wanted } from '../../../test/support/change-machine.js';
import { leasesOn } from './leases-on.js';
import type { AcquireAnswer } from './leases.js';
import { machineSlices } from './machine-slices.js';
import { reserving } from './reserve.js';

const all = { mayDestroyForeign: 'all' } as const;

function lease(
  actor: Actor,
  profile: string | null = null,
  waitMs: number | null = 0,
): Promise<AcquireAnswer> {
  const slice = profile === null ? ({ kind: 'any' } as const) : ({ kind: 'profile', profile } as const);
  return leasesOn(actor.ports).acquire(
    { slice, count: 1, tenant: null, priority: 0 },
    { waitMs, signal: new AbortController().signal, onQueued: () => undefined, command: ['pytest'] },
  );
}

/** What a process needs that changes this machine. */
function changing(world: RunWorld, journal: ChangePorts['journal'] = new MemoryJournal()) {
  const { ports } = world.actor();
  const guard = reserving({ open: async () => ports, command: ['mica', 'node', 'apply'] });
  const processes = { ...ports.processes, pidNamespace: () => null, signal: () => false, nameOf: () => null };
  const change: ChangePorts = { ...ports, processes, journal, guard };
  return {
    change,
    ports,
    apply: (places: readonly string[] | null, options: ChangeOptions = all) =>
      changeGpus(change, [places === null ? wanted(0, null) : wanted(0, ...places)], options),
  };
}

function worldOf(gpus: string): RunWorld {
  const world = runWorld(gpus);
  onTestFinished(world.close);
  return world;
}

const records = (world: RunWorld) =>
  world.store.read((tables) => ({ leases: tables.leases(), quarantined: tables.quarantined() }));
const names = async ({ driver }: RunWorld) =>
  (await machineSlices(driver)).map(({ profile, start }) =>
    profile === null ? 'whole' : `${profile}:${start}`,
  );

describe('a change of a GPU', () => {
  it('is refused where a slice that must go is leased, says by whom, and touches nothing', async () => {
    const world = worldOf('h100:1');
    await world.cut(0, '3g.40gb:0', '3g.40gb:4');
    const held = await lease(world.actor());
    if (!held.ok) throw new Error(held.why.message);
    const { apply } = changing(world);
    for (const options of [all, { ...all, dryRun: true }]) {
      const answer = await apply(['1g.10gb:0', '1g.10gb:4'], options);
      expect(answer).toMatchObject({ outcome: 'refused', change: null });
      expect(answer.gpus[0]?.why).toMatchObject({
        kind: 'leased',
        message: expect.stringMatching(/3g\.40gb:\d is leased by pid \d+ .*mica kill .*mica ps/),
        leases: [{ id: held.lease.id, command: ['pytest'] }],
      });
    }
    expect(await names(world)).toEqual(['3g.40gb:0', '3g.40gb:4']);
    // The other one is nobody's.
    const kept = `3g.40gb:${held.lease.slices[0]?.start ?? ''}`;
    expect(await apply([kept])).toMatchObject({ outcome: 'done' });
    await held.lease.release();
    expect((await records(world)).leases).toEqual([]);
  });

  it('waits for leases where it may wait', async () => {
    const world = worldOf('h100:1');
    await world.cut(0, '7g.80gb:0');
    const held = await lease(world.actor());
    if (!held.ok) throw new Error(held.why.message);
    world.clock.in(4_000, () => held.lease.release());
    const beganMs = world.clock.nowMs();
    expect(await changing(world).apply(['3g.40gb:0'], { ...all, waitMs: 60_000 })).toMatchObject({
      outcome: 'done',
    });
    expect(world.clock.nowMs() - beganMs).toBeLessThan(10_000);
  });

  it('takes no whole GPU from whoever has it', async () => {
    const world = worldOf('h100:1');
    const held = await lease(world.actor());
    const { apply } = changing(world);
    expect((await apply(['3g.40gb:0'])).gpus[0]?.why).toMatchObject({
      kind: 'leased',
      message: expect.stringContaining('the whole GPU is leased'),
    });
    if (held.ok) await held.lease.release();
    expect(await apply(['3g.40gb:0'])).toMatchObject({ outcome: 'done' });
    expect(await apply(null)).toMatchObject({ outcome: 'done' });
    expect(await names(world)).toEqual(['whole']);
  });

  it('keeps what goes, and what is made, from being leased until it is through', async () => {
    const world = worldOf('h100:1');
    await world.cut(0, '3g.40gb:0', '3g.40gb:4');
    const { change, ports } = changing(world);
    const got: string[] = [];
    const tryNow = async (): Promise<void> => {
      const answer = await lease(world.actor());
      if (answer.ok) got.push(answer.lease.slices[0]?.profile ?? 'whole');
    };
    const driver: ChangePorts['driver'] = {
      ...change.driver,
      destroyComputeInstance: async (...args) => {
        await tryNow();
        return change.driver.destroyComputeInstance(...args);
      },
      createComputeInstance: async (...args) => {
        const made = await change.driver.createComputeInstance(...args);
        await tryNow();
        return made;
      },
    };
    const wish = wanted(0, '2g.20gb:0', '2g.20gb:2', '3g.40gb:4');
    expect(await changeGpus({ ...change, driver }, [wish], all)).toMatchObject({ outcome: 'done' });
    // The slice that stays is anybody's all the time.
    expect(got).toEqual(['3g.40gb']);
    expect((await ports.store.read((tables) => tables.leases())).map(({ command }) => command)).toEqual([
      ['pytest'],
    ]);
  });

  it('ends the quarantine of what it destroys, also where a slice with the same id comes in its place', async () => {
    const world = worldOf('h100:1');
    await world.cut(0, '3g.40gb:0', '3g.40gb:4');
    const [first, second] = await machineSlices(world.driver);
    await world.store.transact((tables) => {
      for (const one of [first, second]) {
        tables.putQuarantine({ slice: one?.id ?? '', why: 'Xid 94', sinceMs: 1 });
      }
    });
    const { apply } = changing(world);
    expect(await apply(['3g.40gb:4'])).toMatchObject({ outcome: 'done' });
    expect((await records(world)).quarantined.map(({ slice }) => slice)).toEqual([second?.id]);
    await world.store.transact((tables) =>
      tables.putQuarantine({ slice: first?.id ?? '', why: 'left over', sinceMs: 1 }),
    );
    expect(await apply(['3g.40gb:0', '3g.40gb:4'])).toMatchObject({ outcome: 'done' });
    expect((await machineSlices(world.driver)).map(({ id }) => id)).toContain(first?.id);
    expect((await records(world)).quarantined.map(({ slice }) => slice)).toEqual([second?.id]);
  });

  it('takes back what dead holders left, and refuses where leases cannot be read', async () => {
    const world = worldOf('h100:1');
    await world.cut(0, '7g.80gb:0');
    const holder = world.actor();
    expect((await lease(holder)).ok).toBe(true);
    holder.die();
    const { apply, change } = changing(world);
    expect(await apply(['3g.40gb:0'])).toMatchObject({ outcome: 'done' });
    const blind = reserving({
      open: () => Promise.reject(new Error('mica.db is damaged')),
      command: ['mica'],
    });
    const blindly = (...places: string[]) =>
      changeGpus({ ...change, guard: blind }, [wanted(0, ...places)], all);
    expect((await blindly('1g.10gb:0')).gpus[0]?.why).toMatchObject({
      kind: 'broken',
      message: expect.stringContaining('mica.db is damaged'),
    });
    // Nothing goes, and nobody can lease there.
    expect(await blindly('3g.40gb:0', '3g.40gb:4')).toMatchObject({ outcome: 'done' });
  });

  it('that was interrupted is not taken back while somebody has leased what it made', async () => {
    const world = worldOf('h100:1');
    await world.cut(0, '7g.80gb:0');
    const journal = new MemoryJournal();
    const { change } = changing(world, journal);
    let made = 0;
    const driver: ChangePorts['driver'] = {
      ...change.driver,
      createGpuInstance: async (...args) => {
        if ((made += 1) > 1) throw new Error('killed');
        return change.driver.createGpuInstance(...args);
      },
    };
    const { append } = journal;
    journal.append = async (name, record) => {
      if (made > 1) return new Promise<void>(() => undefined);
      return append(name, record);
    };
    void changeGpus({ ...change, driver }, [wanted(0, '3g.40gb:0', '3g.40gb:4')], all);
    await world.clock.sleep(5_000);
    journal.append = append;
    journal.dropLocks();
    await world.store.transact((tables) => {
      for (const { id } of tables.leases()) tables.removeLease(id);
    });
    const held = await lease(world.actor());
    if (!held.ok) throw new Error(held.why.message);
    expect(await resumeChanges(change)).toMatchObject([
      { outcome: 'refused', gpus: [{ why: { kind: 'leased' } }] },
    ]);
    await held.lease.release();
    expect(await resumeChanges(change)).toMatchObject([{ outcome: 'rolled-back' }]);
    expect(await names(world)).toEqual(['7g.80gb:0']);
  });
});

describe('changes and leases at random', () => {
  it('never meet on a slice', async () => {
    const layouts = [['7g.80gb:0'], ['3g.40gb:0', '3g.40gb:4'], ['1g.10gb:0', '2g.20gb:2', '3g.40gb:4'], []];
    const step = fc.record({
      atMs: fc.integer({ min: 0, max: 3_000 }),
      layout: fc.option(fc.integer({ min: 0, max: 3 })),
      holdMs: fc.integer({ min: 0, max: 800 }),
      fails: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
        const world = runWorld('h100:1');
        const journal = new MemoryJournal();
        await world.cut(0, '7g.80gb:0');
        const held = new Set<string>();
        const taken: string[] = [];
        const todo = steps.map(
          ({ atMs, layout, holdMs, fails }) =>
            new Promise<void>((resolve, reject) => {
              world.clock.in(atMs, async () => {
                try {
                  if (layout === null) {
                    const answer = await lease(world.actor());
                    if (answer.ok) {
                      const [slice] = answer.lease.slices;
                      held.add(slice?.id ?? '');
                      await world.clock.sleep(holdMs);
                      const there = (await machineSlices(world.driver)).map(({ id }) => id);
                      if (!there.includes(slice?.id ?? '')) taken.push(slice?.id ?? '');
                      held.delete(slice?.id ?? '');
                      await answer.lease.release();
                    }
                  } else {
                    const { change } = changing(world, journal);
                    const driver: ChangePorts['driver'] = {
                      ...change.driver,
                      createGpuInstance: async (uuid, id, start) => {
                        await world.clock.sleep(40);
                        const no = { kind: 'unknown', message: 'planted', code: null } as const;
                        if (fails && start > 0) return { ok: false, why: no };
                        return change.driver.createGpuInstance(uuid, id, start);
                      },
                      destroyGpuInstance: async (uuid, id) => {
                        if ([...held].some((slice) => slice.endsWith(`#${id}`)))
                          taken.push(`${id} while held`);
                        return change.driver.destroyGpuInstance(uuid, id);
                      },
                    };
                    await changeGpus({ ...change, driver }, [wanted(0, ...(layouts[layout] ?? []))], all);
                  }
                  resolve();
                } catch (error) {
                  reject(error instanceof Error ? error : new Error(String(error)));
                }
              });
            }),
        );
        await Promise.all([...todo, world.clock.sleep(3_500)]);
        expect(taken).toEqual([]);
        expect((await records(world)).leases).toEqual([]);
        world.close();
      }),
      { numRuns: process.env['MICA_LONG'] === '1' ? 300 : 30 },
    );
  });
});
