/** What every store must do, so that leases and batches can rely on it. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type {
  AttemptRecord,
  BatchRecord,
  LeaseRecord,
  RequestRecord,
  RunStore,
  TenantRecord,
  UsageRecord,
} from './run-store.js';

export interface RunStoreSetup {
  readonly store: RunStore;
  /** Opens the same store once more, as another process would. */
  readonly reopen: () => Promise<RunStore>;
}

const holder = { pid: 42, startedAt: '1234', bootId: 'boot' };
const wish = { slice: { kind: 'any' }, count: 1, tenant: null, priority: 0 } as const;

const lease = (id: string, more: Partial<LeaseRecord> = {}): LeaseRecord => ({
  id,
  slices: ['GPU-1/1g.24gb:0#3'],
  wish,
  holder,
  command: ['pytest', 'ein "Wort" mit ünï'],
  groups: [holder],
  grantedMs: 1,
  heartbeatMs: 2.5,
  ttlMs: 30_000,
  state: { kind: 'held' },
  ...more,
});
const request = (id: string): RequestRecord => ({
  id,
  wish,
  holder,
  command: [],
  askedMs: 1,
  heartbeatMs: 1,
});
const usage = (leaseId: string, endMs: number): UsageRecord => ({
  lease: leaseId,
  tenant: null,
  command: [],
  slices: [],
  startMs: 0,
  endMs,
  peakMemoryMiB: null,
});
const tenant = (name: string, more: Partial<TenantRecord> = {}): TenantRecord => ({
  name,
  createdMs: 5,
  quota: { slices: 2, memoryMiB: null, share: 0.5 },
  dedicated: ['GPU-1/1g.24gb:3'],
  tokens: [{ id: 'ab12', hash: 'f00d', createdMs: 6, expiresMs: null }],
  ...more,
});
const batch = (id: string, startedMs: number): BatchRecord => ({
  id,
  startedMs,
  endedMs: null,
  runner: holder,
  request: '{}',
});
const attempt = (of: string, job: number, number: number): AttemptRecord => ({
  batch: of,
  job,
  attempt: number,
  slice: 's',
  group: null,
  startMs: 1,
  end: null,
});

export function runStoreContract(setup: () => Promise<RunStoreSetup>): void {
  const begin = async (): Promise<RunStoreSetup> => {
    const opened = await setup();
    onTestFinished(() => opened.store.close());
    return opened;
  };

  describe('run store', () => {
    it('begins empty', async () => {
      const { store } = await begin();
      expect(
        await store.read((tables) => [
          tables.leases(),
          tables.requests(),
          tables.quarantined(),
          tables.tenants(),
          tables.usage(0),
          tables.batches(10),
          tables.attempts('b'),
          tables.batch('b'),
          tables.durationMs('pytest'),
        ]),
      ).toEqual([[], [], [], [], [], [], [], null, null]);
    });

    it('has the tenants by name, each replaced whole', async () => {
      const { store, reopen } = await begin();
      await store.transact((tables) => {
        for (const name of ['bolt', 'acme', 'cork']) tables.putTenant(tenant(name));
        tables.putTenant(tenant('bolt', { tokens: [], dedicated: [] }));
        tables.removeTenant('cork');
        tables.removeTenant('never there');
      });
      const other = await reopen();
      expect(await other.read((tables) => tables.tenants())).toEqual([
        tenant('acme'),
        tenant('bolt', { tokens: [], dedicated: [] }),
      ]);
    });

    it('gives back what was put, to others too', async () => {
      const { store, reopen } = await begin();
      await store.transact((tables) => {
        tables.putLease(lease('l2'));
        tables.putLease(lease('l1'));
        tables.putLease(lease('l2', { command: [] }));
        tables.putRequest(request('r1'));
        tables.putQuarantine({ slice: 's1', why: 'Xid 79', sinceMs: 7 });
        tables.putDuration('pytest a', 1500.25);
      });
      const other = await reopen();
      expect(await other.read((tables) => tables.leases())).toEqual([
        lease('l1'),
        lease('l2', { command: [] }),
      ]);
      expect(await other.read((tables) => [tables.requests(), tables.quarantined()])).toEqual([
        [request('r1')],
        [{ slice: 's1', why: 'Xid 79', sinceMs: 7 }],
      ]);
      expect(await other.read((tables) => tables.durationMs('pytest a'))).toBe(1500.25);
      await other.transact((tables) => {
        tables.removeLease('l1');
        tables.removeLease('never there');
        tables.removeRequest('r1');
        tables.removeQuarantine('s1');
      });
      expect(
        await store.read((tables) => [
          tables.leases().map(({ id }) => id),
          tables.requests(),
          tables.quarantined(),
        ]),
      ).toEqual([['l2'], [], []]);
    });

    it('has usage since a moment, batches newest first and attempts in order', async () => {
      const { store } = await begin();
      await store.transact((tables) => {
        for (const [id, endMs] of [
          ['c', 30],
          ['a', 10.5],
          ['b', 20],
          ['d', 30],
        ] as const)
          tables.addUsage(usage(id, endMs));
        for (const [id, startedMs] of [
          ['b1', 10],
          ['b3', 30],
          ['b2', 20],
        ] as const)
          tables.putBatch(batch(id, startedMs));
        for (const [job, number] of [
          [1, 2],
          [10, 1],
          [1, 1],
          [2, 1],
        ] as const)
          tables.putAttempt(attempt('b1', job, number));
        tables.putAttempt(attempt('b2', 0, 1));
        tables.putAttempt({ ...attempt('b1', 2, 1), slice: 'replaced' });
        tables.putBatch({ ...batch('b2', 20), endedMs: 99 });
      });
      const found = await store.read((tables) => ({
        usage: tables.usage(20).map((one) => one.lease),
        batches: tables.batches(2).map(({ id }) => id),
        batch: tables.batch('b2')?.endedMs,
        attempts: tables.attempts('b1').map((one) => [one.job, one.attempt, one.slice]),
      }));
      expect(found).toEqual({
        usage: ['b', 'c', 'd'],
        batches: ['b3', 'b2'],
        batch: 99,
        attempts: [
          [1, 1, 's'],
          [1, 2, 's'],
          [2, 1, 'replaced'],
          [10, 1, 's'],
        ],
      });
    });

    it('does all of a transaction or nothing, and goes on after one that failed', async () => {
      const { store, reopen } = await begin();
      const other = await reopen();
      await store.transact((tables) => tables.putLease(lease('l1')));
      const failing = store.transact((tables) => {
        tables.removeLease('l1');
        tables.putLease(lease('l2'));
        expect(tables.leases().map(({ id }) => id)).toEqual(['l2']);
        throw new RangeError('no');
      });
      await expect(failing).rejects.toThrow(new RangeError('no'));
      for (const one of [store, other]) {
        expect((await one.read((tables) => tables.leases())).map(({ id }) => id)).toEqual(['l1']);
      }
      await other.transact((tables) => tables.removeLease('l1'));
      expect(await store.read((tables) => tables.leases())).toEqual([]);
    });

    it('does one transaction after the other', async () => {
      const { store, reopen } = await begin();
      const stores = [store, await reopen(), await reopen()];
      const increments = stores.flatMap((one) =>
        Array.from({ length: 20 }, () =>
          one.transact((tables) => tables.putDuration('count', (tables.durationMs('count') ?? 0) + 1)),
        ),
      );
      await Promise.all(increments);
      expect(await store.read((tables) => tables.durationMs('count'))).toBe(60);
    });

    it('keeps those that wait together apart: one that fails neither fails nor undoes the others', async () => {
      const { store, reopen } = await begin();
      const seen: (number | null)[] = [];
      const step = (next: number, fails = false): Promise<number> =>
        store.transact(
          (tables) => {
            seen.push(tables.durationMs('step'));
            tables.putDuration('step', next);
            if (fails) throw new RangeError(`no ${next}`);
            return next;
          },
          { durable: next === 3 },
        );
      const ended: number[] = [];
      const steps = [step(1), step(2, true), step(3), step(4, true), step(5)];
      for (const [place, one] of steps.entries()) void one.catch(() => 0).then(() => ended.push(place + 1));
      expect(await Promise.allSettled(steps)).toEqual([
        { status: 'fulfilled', value: 1 },
        { status: 'rejected', reason: new RangeError('no 2') },
        { status: 'fulfilled', value: 3 },
        { status: 'rejected', reason: new RangeError('no 4') },
        { status: 'fulfilled', value: 5 },
      ]);
      expect(seen).toEqual([null, 1, 1, 3, 3]);
      expect(ended).toEqual([1, 2, 3, 4, 5]);
      expect(await (await reopen()).read((tables) => tables.durationMs('step'))).toBe(5);
    });

    it('does what was asked for before it was closed', async () => {
      const { store, reopen } = await begin();
      const other = await reopen();
      const asked = store.transact((tables) => tables.putDuration('last', 1));
      await store.close();
      await asked;
      if (other !== store) expect(await other.read((tables) => tables.durationMs('last'))).toBe(1);
      await expect(store.transact(() => 1)).rejects.toThrow(TypeError);
    });

    it('keeps what was put apart from what the caller has', async () => {
      const { store } = await begin();
      const mine = { ...lease('l1'), slices: ['a'] };
      await store.transact((tables) => tables.putLease(mine));
      mine.slices.push('b');
      const [theirs] = await store.read((tables) => tables.leases());
      (theirs?.slices as string[]).push('c');
      expect((await store.read((tables) => tables.leases()))[0]?.slices).toEqual(['a']);
    });

    it('says so when it is used after it was closed, and may be closed twice', async () => {
      const { store } = await begin();
      await store.close();
      await store.close();
      await expect(store.read(() => 1)).rejects.toThrow(TypeError);
    });
  });
}
