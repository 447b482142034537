/** A lease at the desk, for its holder: each call looks first whether it still is theirs, and does nothing otherwise. */
import type { CleanAnswer, KeepAnswer, UncleanSlice } from '#ports/lease-desk';
import type { LeaseRecord, ProcessMark, RunTables } from '#ports/run-store';
import { clearOut } from '../clear-out.js';
import { usedOn } from '../peak-memory.js';
import type { LeasePorts } from '../ports.js';
import { finish, takeOver } from '../reclaim.js';
import { isNamed, isSameProcess, type Caller } from './caller.js';
import { slicesNamed, type House } from './house.js';

export async function keep(
  { ports: { store, clock } }: House,
  caller: Caller,
  id: string,
  groups: readonly ProcessMark[],
): Promise<KeepAnswer> {
  return store.transact((tables): KeepAnswer => {
    const mine = heldBy(tables, caller, id);
    if (mine === null) return { kind: 'over' };
    // What was bound once may live on in children, without the process that led it.
    for (const group of groups.filter((one) => !mine.groups.some((known) => isSameProcess(known, one)))) {
      const why = caller.whyForeign(group);
      if (why !== null) return { kind: 'foreign-group', why };
    }
    tables.putLease({ ...mine, groups, heartbeatMs: clock.nowMs() });
    return { kind: 'kept' };
  });
}

export async function clean(house: House, caller: Caller, id: string): Promise<CleanAnswer> {
  const { ports } = house;
  const { store } = ports;
  const found = await store.read((tables) => heldBy(tables, caller, id));
  if (found === null) return { kind: 'over' };
  const unclean = await clearOut(ports, found.groups, await slicesNamed(house, found.slices), found.id);
  if (found.groups.length === 0 && unclean.length === 0) return { kind: 'clean' };
  return store.transact(
    (tables): CleanAnswer => {
      const mine = heldBy(tables, caller, id);
      if (mine === null) return { kind: 'over' };
      const isLeft = (group: ProcessMark): boolean => !found.groups.some((one) => isSameProcess(one, group));
      tables.putLease({ ...mine, groups: mine.groups.filter(isLeft), heartbeatMs: ports.clock.nowMs() });
      if (unclean.length === 0) return { kind: 'clean' };
      shut(ports, tables, unclean);
      return { kind: 'unclean', slices: unclean };
    },
    { durable: unclean.length > 0 },
  );
}

/** Of slices that are not the lease's nothing is said. */
export async function quarantine(
  { ports }: House,
  caller: Caller,
  id: string,
  unclean: UncleanSlice,
): Promise<void> {
  await ports.store.transact(
    (tables) => {
      const mine = heldBy(tables, caller, id);
      if (mine?.slices.includes(unclean.slice) === true) shut(ports, tables, [unclean]);
    },
    { durable: true },
  );
}

/**
 * Whatever its holder says, a slice goes to the next when nothing is left that was started under the lease. Nothing more
 * can be bound meanwhile; where this process dies, the next who looks goes on.
 */
export async function release(
  house: House,
  caller: Caller,
  id: string,
  peakMemoryMiB: number | null,
): Promise<void> {
  const { ports } = house;
  const found = await ports.store.read((tables) => heldBy(tables, caller, id));
  if (found === null) return;
  const slices = await slicesNamed(house, found.slices);
  const taken = await ports.store.transact((tables) => {
    const mine = heldBy(tables, caller, id);
    if (mine !== null) takeOver(ports, tables, mine);
    return mine;
  });
  if (taken !== null) await finish(ports, taken, slices, peakMemoryMiB);
}

export async function usedMiB(house: House, caller: Caller, slice: string): Promise<number | null> {
  const isMine = await house.ports.store.read((tables) =>
    tables
      .leases()
      .some((lease) => lease.slices.includes(slice) && isSameProcess(lease.holder, caller.holder)),
  );
  if (!isMine) return null;
  const [found] = await slicesNamed(house, [slice]);
  return found === undefined ? null : usedOn(house.ports.driver, found);
}

function shut({ clock }: LeasePorts, tables: RunTables, unclean: readonly UncleanSlice[]): void {
  for (const { slice, why } of unclean) tables.putQuarantine({ slice, why, sinceMs: clock.nowMs() });
}

function heldBy(tables: RunTables, caller: Caller, id: string): LeaseRecord | null {
  const found = tables
    .leases()
    .find((lease) => isNamed(caller, lease, id) && isSameProcess(lease.holder, caller.holder));
  return found?.state.kind === 'held' ? found : null;
}
