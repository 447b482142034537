import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LeaseWorld, type Machine } from '../../../test/support/lease-world.js';
import { lead } from './lead.js';
import type { News } from './news.js';

const holdsMs = 15_000;

interface Worker {
  readonly machine: Machine;
  readonly news: News[];
  readonly stop: AbortController;
  readonly done: Promise<void>;
  works: number;
  atOnce: number;
  mostAtOnce: number;
}

/** Works until it is told to stop, then takes a while to end. */
function start(
  world: LeaseWorld,
  name: string,
  {
    skewMs = 0,
    endsAfterMs = 300,
    work,
  }: {
    readonly skewMs?: number;
    readonly endsAfterMs?: number;
    readonly work?: (leading: AbortSignal, machine: Machine) => Promise<void>;
  } = {},
): Worker {
  const machine = world.machine(name, skewMs);
  const stop = new AbortController();
  const news: News[] = [];
  const run = async (leading: AbortSignal): Promise<void> => {
    worker.works += 1;
    worker.atOnce += 1;
    worker.mostAtOnce = Math.max(worker.mostAtOnce, worker.atOnce);
    try {
      if (work !== undefined) {
        await work(leading, machine);
        return;
      }
      while (!leading.aborted) {
        world.act(name);
        await machine.clock.sleep(100, leading);
      }
      await machine.clock.sleep(endsAfterMs);
    } finally {
      worker.atOnce -= 1;
    }
  };
  const options = { onNews: (one: News) => void news.push(one), signal: stop.signal };
  const worker: Worker = {
    ...{ machine, news, stop, works: 0, atOnce: 0, mostAtOnce: 0 },
    done: lead(machine.lease, machine.clock, options, run),
  };
  return worker;
}

const kinds = ({ news }: Worker): readonly string[] => news.map(({ kind }) => kind);

describe('one of several', () => {
  it('leads, keeps the lease by renewing it, and gives it back once its work has ended', async () => {
    const world = new LeaseWorld(holdsMs);
    const a = start(world, 'a', { endsAfterMs: 4_000 });
    await world.run(60_000);
    expect(world.holder()).toBe('a');
    expect(kinds(a)).toEqual(['leading']);
    // Every third of its time.
    expect(world.asked('a')).toBeGreaterThanOrEqual(12);
    expect(world.asked('a')).toBeLessThanOrEqual(15);
    a.stop.abort();
    await world.run(3_900);
    expect(world.holder()).toBe('a');
    await world.run(500);
    expect(world.holder()).toBe('');
    await a.done;
    expect(a.news).toEqual([{ kind: 'leading' }, { kind: 'stepped-down', why: 'it was told to end' }]);
  });

  it('keeps others off for as long as work that was told to stop goes on', async () => {
    const world = new LeaseWorld(holdsMs);
    const a = start(world, 'a', { endsAfterMs: 120_000 });
    const b = start(world, 'b');
    await world.run(10_000);
    a.stop.abort();
    await world.run(110_000);
    expect([world.holder(), b.works]).toEqual(['a', 0]);
    await world.run(20_000);
    expect([world.holder(), b.works]).toEqual(['b', 1]);
    expect(b.news).toEqual([{ kind: 'following', holder: 'a' }, { kind: 'leading' }]);
  });

  it('ends at once where it does not lead, and takes nothing with it', async () => {
    const world = new LeaseWorld(holdsMs);
    start(world, 'a');
    await world.run(5_000);
    const b = start(world, 'b');
    await world.run(5_000);
    b.stop.abort();
    await world.run(100);
    await b.done;
    expect(world.holder()).toBe('a');
    expect(kinds(b)).toEqual(['following']);
  });

  it('does nothing where it was told to end before it began', async () => {
    const world = new LeaseWorld(holdsMs);
    const stop = new AbortController();
    stop.abort();
    const { lease, clock } = world.machine('a');
    const options = { onNews: () => undefined, signal: stop.signal };
    await lead(lease, clock, options, () => Promise.reject(new Error('worked')));
    expect(world.asked('a')).toBe(0);
  });
});

describe('a lease that is no longer sure', () => {
  it('stops the work a margin before its time is over, and leads again once it can', async () => {
    const world = new LeaseWorld(holdsMs);
    const a = start(world, 'a');
    await world.run(6_000);
    world.fault('a', () => 'unreachable');
    await world.run(20_000);
    expect(kinds(a)).toEqual(['leading', 'trouble', 'stepped-down', 'trouble']);
    expect(a.news[2]).toEqual({ kind: 'stepped-down', why: 'the lease could not be renewed: no answer' });
    const last = world.lastActMs('a');
    expect(last).toBeLessThanOrEqual(world.heldUntilMs('a') - 2_000);
    expect(last).toBeGreaterThan(world.heldUntilMs('a') - 4_000);
    world.fault('a', () => 'none');
    await world.run(5_000);
    expect(kinds(a).slice(4)).toEqual(['leading']);
  });

  it('stops where a renewal hangs', async () => {
    const world = new LeaseWorld(holdsMs);
    const a = start(world, 'a');
    await world.run(4_000);
    world.fault('a', () => 'hangs');
    await world.run(14_000);
    expect(kinds(a)).toEqual(['leading', 'stepped-down']);
  });

  it('stops at once where somebody else holds it, and leaves it to them', async () => {
    const world = new LeaseWorld(holdsMs);
    const a = start(world, 'a');
    await world.run(4_000);
    world.give('somebody');
    await world.run(6_000);
    expect(a.news.slice(1)).toEqual([
      { kind: 'stepped-down', why: 'somebody took the lease' },
      { kind: 'following', holder: 'somebody' },
    ]);
    expect(world.holder()).toBe('somebody');
  });

  it('stops after a sleep of the machine, though its timers know nothing of it', async () => {
    const world = new LeaseWorld(holdsMs);
    const a = start(world, 'a');
    await world.run(10_050);
    a.machine.jump(3_600_000);
    await world.run(550);
    expect(kinds(a)).toEqual(['leading', 'stepped-down']);
    await world.run(5_000);
    expect(kinds(a).slice(2)).toEqual(['leading']);
  });

  it('stops where its clock is set back', async () => {
    const world = new LeaseWorld(holdsMs);
    const a = start(world, 'a');
    await world.run(10_050);
    a.machine.jump(-20_000);
    await world.run(550);
    expect(a.news[1]).toMatchObject({ kind: 'stepped-down', why: expect.stringContaining('set back') });
    await world.run(5_000);
    expect(kinds(a).slice(2)).toEqual(['leading']);
  });

  it('does not begin with a lease that is nearly over when the answer comes', async () => {
    const world = new LeaseWorld(holdsMs);
    world.fault('a', (count) => (count === 1 ? 'late' : 'none'));
    const a = start(world, 'a');
    await world.run(18_000);
    expect([world.holder(), a.works]).toEqual(['a', 0]);
    await world.run(6_000);
    expect([a.works, world.asked('a')]).toEqual([1, 2]);
  });

  it('waits before it begins where its own clock leapt, and the lease only looked over', async () => {
    const world = new LeaseWorld(holdsMs);
    const a = start(world, 'a');
    const b = start(world, 'b');
    await world.run(10_050);
    b.machine.jump(20_000);
    await world.run(8_000);
    expect([world.holder(), b.works]).toEqual(['b', 0]);
    expect(kinds(a)).toEqual(['leading', 'stepped-down', 'following']);
    await world.run(10_000);
    expect(b.works).toBe(1);
    expect(world.overlaps).toEqual([]);
  });

  it('takes what a lease throws for no answer, and says the same trouble once a minute', async () => {
    const world = new LeaseWorld(holdsMs);
    world.fault('a', () => 'throws');
    const a = start(world, 'a');
    await world.run(90_000);
    expect(a.news).toEqual(
      Array.from({ length: 2 }, () => ({ kind: 'trouble', message: 'the lease cannot be had: it threw' })),
    );
  });
});

describe('work that fails', () => {
  it('gives the lease back, and tries again after ever longer pauses', async () => {
    const world = new LeaseWorld(holdsMs);
    const begun: number[] = [];
    const a = start(world, 'a', {
      work: async () => {
        begun.push(world.nowMs);
        throw new Error('no disk');
      },
    });
    await world.run(150_000);
    const pauses = begun.slice(1).map((atMs, index) => Math.round((atMs - begun[index]!) / 1000));
    expect(pauses.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 30, 30]);
    expect(a.news.slice(0, 3)).toEqual([
      { kind: 'leading' },
      { kind: 'stepped-down', why: 'it failed: no disk' },
      { kind: 'leading' },
    ]);
    expect(world.holder()).toBe('');
  });

  it('tries again soon where it had gone well for long', async () => {
    const world = new LeaseWorld(holdsMs);
    const begun: number[] = [];
    start(world, 'a', {
      work: async (leading, { clock }) => {
        begun.push(world.nowMs);
        await clock.sleep(100_000, leading);
        throw new Error('no disk');
      },
    });
    await world.run(420_000);
    for (const [index, atMs] of begun.slice(1).entries())
      expect(atMs - begun[index]! - 100_000).toBeLessThan(1_500);
  });

  it('says what goes wrong while it is ending, and is still done', async () => {
    const world = new LeaseWorld(holdsMs);
    const a = start(world, 'a', {
      work: async (leading, { clock }) => {
        await clock.sleep(1_000_000, leading);
        throw new Error('not saved');
      },
    });
    await world.run(1_000);
    a.stop.abort();
    await world.run(100);
    await a.done;
    expect(a.news.slice(1)).toEqual([
      { kind: 'stepped-down', why: 'it was told to end' },
      { kind: 'trouble', message: 'while it was ending: not saved' },
    ]);
    expect(world.holder()).toBe('');
  });

  it('outlives listeners that throw, and a lease that cannot be given back', async () => {
    const world = new LeaseWorld(holdsMs);
    const { lease, clock } = world.machine('a');
    const broken = { ...lease, release: () => Promise.reject(new Error('gone')) };
    const stop = new AbortController();
    const onNews = (): never => {
      throw new Error('nobody listens');
    };
    const done = lead(broken, clock, { onNews, signal: stop.signal }, (leading) => clock.sleep(1e9, leading));
    await world.run(1_000);
    stop.abort();
    await world.run(100);
    await expect(done).resolves.toBeUndefined();
  });
});

type Fault = 'none' | 'unreachable' | 'hangs' | 'late' | 'throws';
type Disturbance = readonly [
  atMs: number,
  who: number,
  what:
    | { readonly pauseMs: number }
    | { readonly jumpMs: number }
    | { readonly fault: Fault; readonly forMs: number },
];

const disturbance: fc.Arbitrary<Disturbance> = fc.tuple(
  fc.integer({ min: 0, max: 240_000 }),
  fc.nat(2),
  fc.oneof(
    fc.record({ pauseMs: fc.integer({ min: 100, max: 40_000 }) }),
    fc.record({ jumpMs: fc.integer({ min: -30_000, max: 30_000 }) }),
    fc.record({
      fault: fc.constantFrom<Fault>('unreachable', 'hangs', 'late', 'throws'),
      forMs: fc.integer({ min: 100, max: 60_000 }),
    }),
  ),
);

describe('two or three, with clocks of their own, pauses and faults', { timeout: 300_000 }, () => {
  it('never work at the same time, and somebody always does in the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -3_600_000, max: 3_600_000 }), { minLength: 2, maxLength: 3 }),
        fc.array(disturbance, { maxLength: 8 }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        async (skews, disturbances, seed) => {
          const world = new LeaseWorld(holdsMs, seed);
          const workers = skews.map((skewMs, index) => start(world, `w${index}`, { skewMs }));
          for (const [atMs, who, what] of disturbances) {
            const worker = workers[who % workers.length]!;
            const { name } = worker.machine;
            world.at(atMs, () => {
              if ('pauseMs' in what) worker.machine.pause(what.pauseMs);
              else if ('jumpMs' in what) worker.machine.jump(what.jumpMs);
              else {
                world.fault(name, () => what.fault);
                world.at(what.forMs, () => world.fault(name, () => 'none'));
              }
            });
          }
          await world.run(300_000);
          // All that went wrong is over by then, with what it left behind.
          await world.run(90_000);
          const acts = world.actsOfLastMs(5_000);
          expect(new Set(acts).size).toBe(1);
          expect(world.overlaps).toEqual([]);
          for (const { mostAtOnce } of workers) expect(mostAtOnce).toBeLessThanOrEqual(1);
          for (const { stop } of workers) stop.abort();
          await world.run(60_000);
          await Promise.all(workers.map(({ done }) => done));
          expect(world.holder()).toBe('');
        },
      ),
      { numRuns: process.env['MICA_LONG'] === '1' ? 1_000 : 40 },
    );
  });
});
