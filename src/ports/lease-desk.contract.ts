/** What every LeaseDesk must do, as a suite that each desk runs on machines of its own making. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GrantedLease, LeaseDesk } from './lease-desk.js';
import type { ProcessMark } from './run-store.js';

/** A process that calls, as a tenant or as whoever runs the machine. */
export interface DeskCaller {
  readonly mark: ProcessMark;
  /** A group on the slice that it started, which is its own to bind. */
  readonly start: (slice: string, manner?: 'polite' | 'stubborn' | 'undying') => Promise<ProcessMark>;
  /** As `kill -9`. */
  readonly die: () => void;
  readonly desk: LeaseDesk;
}

export interface DeskContractSetup {
  /** `tenant`: `acme`, `beta`, or `null`. */
  readonly caller: (tenant: string | null) => Promise<DeskCaller>;
  readonly isAlive: (group: ProcessMark) => boolean;
  /** Runs, and is nobody's here. */
  readonly foreignGroup: ProcessMark;
  readonly close: () => Promise<void>;
}

const any = { slice: { kind: 'any' }, count: 1, tenant: null, priority: 0 } as const;
const command = ['pytest', '-x'];

/** A machine with two free slices, and nothing else on it. */
export function leaseDeskContract(name: string, setup: () => Promise<DeskContractSetup>): void {
  const begin = async () => {
    const made = await setup();
    onTestFinished(() => made.close());
    return made;
  };
  let ids = 0;
  const request = (count = 1, queue = true) => ({
    id: `r${(ids += 1)}`,
    wish: { ...any, count },
    command,
    queue,
  });
  const granted = async ({ desk }: DeskCaller, count = 1): Promise<GrantedLease> => {
    const answer = await desk.ask(request(count));
    if (answer.kind !== 'granted') throw new Error(JSON.stringify(answer));
    return answer.lease;
  };
  const sliceOf = ({ slices: [first] }: GrantedLease): string => {
    if (first === undefined) throw new Error('no slice');
    return first.id;
  };

  describe(`${name}: the contract of a lease desk`, () => {
    it('grants each slice once, the same lease to the same request, and has others wait', async () => {
      const { desk, mark } = await (await begin()).caller(null);
      const first = request();
      const one = await desk.ask(first);
      expect(await desk.ask(first)).toEqual(one);
      const two = await desk.ask(request());
      if (one.kind !== 'granted' || two.kind !== 'granted') throw new Error('not granted');
      expect(sliceOf(one.lease)).not.toBe(sliceOf(two.lease));
      expect(one.lease.slices).toMatchObject([
        { profile: '2g.48gb', device: expect.stringMatching(/^MIG-/) },
      ]);
      const third = request();
      const waits = { kind: 'waits', place: 1, why: '2 of 2 that would do are leased' };
      expect(await desk.ask({ ...third, queue: false })).toEqual(waits);
      expect((await desk.list()).queue).toEqual([]);
      expect(await desk.ask(third)).toEqual(waits);
      expect(await desk.ask(third)).toEqual(waits);
      const { leases, queue, free } = await desk.list();
      expect(leases.map(({ pid, state, command: words }) => ({ pid, state, words }))).toEqual(
        [1, 2].map(() => ({ pid: mark.pid, state: 'held', words: command })),
      );
      expect(queue).toMatchObject([{ pid: mark.pid, command, wish: { count: 1 } }]);
      expect(free).toEqual([]);
      await desk.release(one.lease.id, 17);
      await desk.release(one.lease.id, 17);
      expect(await desk.ask(third)).toMatchObject({
        kind: 'granted',
        lease: { slices: [{ id: sliceOf(one.lease) }] },
      });
      expect((await desk.list()).queue).toEqual([]);
    });

    it('forgets requests that are withdrawn, and refuses what can never be', async () => {
      const { desk } = await (await begin()).caller(null);
      await granted({ desk } as DeskCaller, 2);
      const waiting = request();
      await desk.ask(waiting);
      await desk.withdraw(waiting.id);
      await desk.withdraw(waiting.id);
      expect((await desk.list()).queue).toEqual([]);
      expect(await desk.ask(request(3))).toEqual({
        kind: 'impossible',
        why: '3 slices cannot be leased: this machine has 2 x 2g.48gb',
      });
    });

    it('keeps leases of their holders, with their groups, and binds no others', async () => {
      const { caller, foreignGroup } = await begin();
      const holder = await caller(null);
      const { desk } = holder;
      const lease = await granted(holder);
      const group = await holder.start(sliceOf(lease));
      expect(await desk.keep(lease.id, [group])).toEqual({ kind: 'kept' });
      expect((await desk.list()).leases).toMatchObject([{ groups: [group.pid] }]);
      expect(await desk.keep(lease.id, [group, foreignGroup])).toMatchObject({ kind: 'foreign-group' });
      expect((await desk.list()).leases).toMatchObject([{ groups: [group.pid] }]);
      expect(await desk.keep('nobody', [])).toEqual({ kind: 'over' });
      // Another process of the same owner did not lease it.
      const other = await caller(null);
      expect(await other.desk.keep(lease.id, [])).toEqual({ kind: 'over' });
      expect(await other.desk.clean(lease.id)).toEqual({ kind: 'over' });
      await other.desk.release(lease.id, null);
      expect((await desk.list()).leases).toMatchObject([{ groups: [group.pid] }]);
    });

    it('empties slices, and shuts those that something stays in until somebody looks', async () => {
      const { caller, isAlive } = await begin();
      const holder = await caller(null);
      const { desk } = holder;
      const lease = await granted(holder);
      const slice = sliceOf(lease);
      expect(await desk.usedMiB(slice)).toBe(0);
      const group = await holder.start(slice, 'stubborn');
      await desk.keep(lease.id, [group]);
      expect(await desk.usedMiB(slice)).toBeGreaterThan(0);
      expect(await desk.clean(lease.id)).toEqual({ kind: 'clean' });
      expect(isAlive(group)).toBe(false);
      expect((await desk.list()).leases).toMatchObject([{ groups: [] }]);
      await desk.keep(lease.id, [await holder.start(slice, 'undying')]);
      const unclean = await desk.clean(lease.id);
      expect(unclean).toMatchObject({ kind: 'unclean', slices: [{ slice, why: expect.any(String) }] });
      await desk.release(lease.id, null);
      expect((await desk.list()).quarantine).toMatchObject([{ slice }]);
      expect(await desk.reopen(slice, false)).toMatchObject({ ok: false, why: { kind: 'in-use' } });
      expect(await desk.reopen(slice, true)).toEqual({ ok: true });
      expect(await desk.reopen(slice, true)).toMatchObject({ ok: false, why: { kind: 'not-quarantined' } });
    });

    it('never has one lease take the place of another, and empties what is given back', async () => {
      const { caller, isAlive } = await begin();
      const [one, two, three] = [await caller('acme'), await caller('acme'), await caller(null)];
      const asked = request();
      const first = await one.desk.ask(asked);
      if (first.kind !== 'granted') throw new Error(first.kind);
      expect(await two.desk.ask(asked)).toMatchObject({ kind: 'impossible' });
      expect((await three.desk.list()).leases).toMatchObject([{ pid: one.mark.pid }]);
      const group = await one.start(sliceOf(first.lease), 'stubborn');
      await one.desk.keep(first.lease.id, [group]);
      await one.desk.release(first.lease.id, null);
      expect(isAlive(group)).toBe(false);
      expect((await three.desk.list()).leases).toEqual([]);
    });

    it('shuts what a holder says is broken, of its own', async () => {
      const { caller } = await begin();
      const [one, two] = [await caller(null), await caller(null)];
      const [mine, theirs] = [await granted(one), await granted(two)];
      await one.desk.quarantine(mine.id, sliceOf(theirs), 'Xid 79');
      await one.desk.quarantine(theirs.id, sliceOf(theirs), 'Xid 79');
      expect((await one.desk.list()).quarantine).toEqual([]);
      await one.desk.quarantine(mine.id, sliceOf(mine), 'Xid 79');
      expect((await one.desk.list()).quarantine).toMatchObject([{ slice: sliceOf(mine), why: 'Xid 79' }]);
    });

    it('ends the lease of a holder that is gone, with what it ran', async () => {
      const { caller, isAlive } = await begin();
      const [holder, operator] = [await caller(null), await caller(null)];
      const lease = await granted(holder);
      const group = await holder.start(sliceOf(lease), 'stubborn');
      await holder.desk.keep(lease.id, [group]);
      holder.die();
      expect((await operator.desk.list()).leases).toMatchObject([{ id: lease.id, state: 'gone' }]);
      expect(await operator.desk.end(lease.id)).toEqual({ ok: true, quarantined: [] });
      expect(isAlive(group)).toBe(false);
      expect((await operator.desk.list()).leases).toEqual([]);
      expect(await operator.desk.end(lease.id)).toMatchObject({ ok: false, why: { kind: 'unknown' } });
    });

    it('tells a tenant nothing of others, and does nothing to them', async () => {
      const { caller } = await begin();
      const [acme, beta, operator] = [await caller('acme'), await caller('beta'), await caller(null)];
      const waiting = request(2);
      const lease = await granted(acme);
      await acme.desk.ask(waiting);
      const touch = async ({ desk }: DeskCaller, id: string) => {
        const named = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll(id, 'ID'));
        await desk.release(id, null);
        await desk.quarantine(id, sliceOf(lease), 'mine');
        await desk.withdraw(id);
        return named([await desk.keep(id, []), await desk.clean(id), await desk.end(id)]);
      };
      const before = await operator.desk.list();
      expect(before).toMatchObject({ leases: [{ tenant: 'acme' }], queue: [{ tenant: 'acme' }] });
      const nobody = await touch(beta, 'nobody');
      for (const id of [lease.id, waiting.id, `acme.${waiting.id}`])
        expect(await touch(beta, id)).toEqual(nobody);
      expect(await beta.desk.usedMiB(sliceOf(lease))).toBeNull();
      expect(await beta.desk.list()).toMatchObject({ leases: [], queue: [], quarantine: [] });
      expect((await beta.desk.list()).slices.map(({ id }) => id)).not.toContain(sliceOf(lease));
      expect((await operator.desk.list()).leases).toMatchObject([{ id: lease.id }]);
      expect((await operator.desk.list()).queue).toMatchObject([{ tenant: 'acme' }]);
      // What a tenant is called is not for it to say, and the same id is another lease of another tenant.
      const asked = { ...request(), id: waiting.id };
      const own = await beta.desk.ask({
        ...asked,
        wish: { ...any, count: 2, tenant: 'acme', priority: 1000 },
      });
      expect(own.kind).toBe('waits');
      expect((await beta.desk.list()).queue).toMatchObject([{ tenant: 'beta', wish: { priority: 0 } }]);
      expect(await acme.desk.list()).toMatchObject({
        leases: [{ id: lease.id }],
        queue: [{ tenant: 'acme' }],
      });
      expect(await acme.desk.reopen(sliceOf(lease), true)).toMatchObject({ ok: false });
    });
  });
}
