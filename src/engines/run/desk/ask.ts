/** Asking for slices: all who wait look at the same queue, and each takes only what it is granted there. */
import { judgeQueue, type SliceNow, type Verdict } from '#core/run/queue';
import type { LeasableSlice } from '#core/run/slice';
import type { DeskAnswer, DeskRequest, GrantedLease } from '#ports/lease-desk';
import type { LeaseRecord, RequestRecord, RunTables } from '#ports/run-store';
import { processesIn, processesInWords } from '../machine-slices.js';
import { heartbeatEveryMs, ttlMs } from '../timing.js';
import { isNamed, isSameProcess, storedId, type Caller } from './caller.js';
import { seeSlices, type House } from './house.js';

interface Asking {
  readonly house: House;
  readonly caller: Caller;
  readonly own: Omit<RequestRecord, 'askedMs' | 'heartbeatMs'>;
  readonly seen: readonly SliceNow[];
  readonly nowMs: number;
}

export async function ask(
  house: House,
  caller: Caller,
  { id, wish, command, queue }: DeskRequest,
): Promise<DeskAnswer> {
  const { store, clock } = house.ports;
  // What a dead holder left may take long to end; whoever waits can meanwhile be told where it stands.
  const tidied = house.tidy();
  if (!queue) await tidied;
  const seen = await look(house, caller);
  // Who goes before others is not for one of them to say: tenants share by what they use.
  const own = {
    id: storedId(caller, id),
    wish: caller.tenant === null ? wish : { ...wish, tenant: caller.tenant, priority: 0 },
    holder: caller.holder,
    command,
  };
  const asking: Asking = { house, caller, own, seen, nowMs: clock.nowMs() };
  if (queue) {
    // Reading costs no write to the disk; what is granted is judged again where it can be taken.
    const verdict = await store.read((tables) => (isHeard(asking, tables) ? judge(asking, tables) : null));
    if (verdict?.kind === 'waits') return verdict;
  }
  return store.transact((tables): DeskAnswer => {
    // An answer that got lost is given again.
    const before = tables.leases().find((lease) => lease.id === own.id);
    if (before !== undefined && isSameProcess(before.holder, own.holder)) return granted(asking, before);
    // One lease must never replace another: its slices would be free while they are in use.
    if (before !== undefined) return { kind: 'impossible', why: `there is a lease ${id} of another process` };
    const verdict = judge(asking, tables);
    for (const request of tables.requests()) {
      if (isGone(asking, request)) tables.removeRequest(request.id);
    }
    if (verdict.kind !== 'granted') {
      if (queue && verdict.kind === 'waits' && waitsForTooMuch(asking, tables)) {
        return { kind: 'over-quota', why: `${mostWaiting} requests of ${caller.tenant ?? ''} wait already` };
      }
      if (queue && verdict.kind === 'waits')
        tables.putRequest({ ...ownRequest(asking, tables), heartbeatMs: asking.nowMs });
      else tables.removeRequest(own.id);
      return verdict;
    }
    const record = leaseFor(asking, verdict.slices);
    tables.removeRequest(own.id);
    tables.putLease(record);
    return granted(asking, record);
  });
}

export async function withdraw({ ports }: House, caller: Caller, id: string): Promise<void> {
  const isOwn = (request: RequestRecord): boolean =>
    isNamed(caller, request, id) && isSameProcess(request.holder, caller.holder);
  await ports.store.transact((tables) => {
    for (const request of tables.requests().filter(isOwn)) tables.removeRequest(request.id);
  });
}

function granted({ seen }: Asking, record: LeaseRecord): DeskAnswer {
  const slices = seen.flatMap(({ slice }) => (record.slices.includes(slice.id) ? [slice] : []));
  const lease: GrantedLease = { id: record.id, slices, ttlMs: record.ttlMs };
  return { kind: 'granted', lease };
}

function leaseFor({ house: { ports }, own, nowMs }: Asking, slices: readonly LeasableSlice[]): LeaseRecord {
  return {
    ...own,
    slices: slices.map((slice) => slice.id),
    groups: [],
    grantedMs: nowMs,
    heartbeatMs: ports.clock.nowMs(),
    ttlMs: ports.ttlMs ?? ttlMs,
    state: { kind: 'held' },
  };
}

/** The request keeps its age for as long as it waits. */
function ownRequest({ own, nowMs }: Asking, tables: RunTables): RequestRecord {
  const before = tables.requests().find(({ id }) => id === own.id);
  return { ...own, askedMs: before?.askedMs ?? nowMs, heartbeatMs: before?.heartbeatMs ?? nowMs };
}

/** The queue is looked at for every request of everybody. */
const mostWaiting = 1000;

function waitsForTooMuch({ caller, own }: Asking, tables: RunTables): boolean {
  if (caller.tenant === null) return false;
  const theirs = tables.requests().filter(({ wish }) => wish.tenant === caller.tenant);
  return theirs.length >= mostWaiting && !theirs.some(({ id }) => id === own.id);
}

function isHeard({ house, own, nowMs }: Asking, tables: RunTables): boolean {
  const before = tables.requests().find(({ id }) => id === own.id);
  if (before === undefined) return false;
  // A heartbeat that comes from the future, since the clock was turned back, is not heard by others any more.
  const silentMs = Math.abs(nowMs - before.heartbeatMs);
  return silentMs < heartbeatEveryMs(house.ports.ttlMs ?? ttlMs);
}

/**
 * Who is in the slices is looked up before the store is asked which of them are free. A slice that becomes free in
 * between was found empty by whoever freed it.
 */
async function look(house: House, { tenant }: Caller): Promise<readonly SliceNow[]> {
  const slices = await seeSlices(house);
  const inside = await processesIn(house.ports.driver, slices);
  return slices.map((slice): SliceNow => {
    const strangers = inside.get(slice.id) ?? [];
    if (strangers.length === 0) return { kind: 'ready', slice };
    // What others run is not a tenant's to know.
    const who = tenant === null ? processesInWords(strangers) : 'somebody';
    return { kind: 'taken', slice, why: `${who} without a lease in ${slice.id}` };
  });
}

const usageWindowMs = 6 * 3_600_000;

function judge(asking: Asking, tables: RunTables): Verdict {
  const { caller, own, seen, nowMs } = asking;
  const others = tables.requests().filter((one) => one.id !== own.id && !isGone(asking, one));
  const requests = [...others, ownRequest(asking, tables)];
  const shut = new Map(tables.quarantined().map(({ slice, why }) => [slice, why]));
  const slices = seen.map((one): SliceNow => {
    const why = shut.get(one.slice.id);
    if (why === undefined) return one;
    return {
      kind: 'quarantined',
      slice: one.slice,
      why: caller.tenant === null ? why : 'its operator looks at it',
    };
  });
  const isShared = requests.some(({ wish }) => wish.tenant !== null);
  const usage = isShared ? tables.usage(nowMs - usageWindowMs) : [];
  const verdict = judgeQueue(requests, tables.leases(), slices, usage, nowMs, tables.tenants()).get(own.id);
  return verdict ?? { kind: 'impossible', why: 'the queue does not know the request' };
}

function isGone({ house, own }: Asking, request: RequestRecord): boolean {
  return request.id !== own.id && house.watch.isGone(request);
}
