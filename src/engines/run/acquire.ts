/** Queueing for slices: everybody who waits looks at the same queue, and each takes only what it is granted there. */
import { judgeQueue, type SliceNow, type Verdict } from '#core/run/queue';
import type { LeasableSlice, LeaseWish } from '#core/run/slice';
import type { LeaseRecord, RequestRecord, RunTables } from '#ports/run-store';
import { hold } from './hold.js';
import type { AcquireAnswer, AcquireOptions } from './leases.js';
import { machineSlices, processesIn, processesInWords } from './machine-slices.js';
import type { LeasePorts } from './ports.js';
import { firstPollMs, heartbeatEveryMs, slowestPollMs, ttlMs } from './timing.js';
import type { Watch } from './watch.js';

interface Surroundings {
  readonly watch: Watch;
  /** Takes back what dead holders left; never fails. */
  readonly tidy: () => Promise<void>;
}

export async function acquire(
  ports: LeasePorts,
  { watch, tidy }: Surroundings,
  wish: LeaseWish,
  options: AcquireOptions,
): Promise<AcquireAnswer> {
  const { store, clock } = ports;
  const { signal, waitMs } = options;
  const askedMs = clock.nowMs();
  const own = { id: ports.newId(), wish, holder: ports.self, command: options.command, askedMs };
  const place: InQueue = { ports, watch, own, isQueued: false, heardMs: askedMs };
  let pollMs = firstPollMs;
  let said = '';
  try {
    while (!signal.aborted) {
      // What a dead holder left may take long to end; whoever waits can meanwhile be told to stop.
      const tidied = tidy();
      if (waitMs === 0) await tidied;
      const verdict = await ask(place, waitMs === 0);
      if (verdict.kind === 'granted') return { ok: true, lease: verdict.lease };
      if (verdict.kind === 'impossible') return no('impossible', verdict.why);
      const leftMs = waitMs === null ? Infinity : askedMs + waitMs - clock.nowMs();
      if (leftMs <= 0) return no('timed-out', verdict.why);
      const saying = `${verdict.place}: ${verdict.why}`;
      if (saying !== said) {
        options.onQueued({ place: verdict.place, why: verdict.why });
        pollMs = firstPollMs;
      }
      said = saying;
      await clock.sleep(Math.min(pollMs, leftMs), signal);
      pollMs = Math.min(slowestPollMs, pollMs * 1.5);
    }
    return no('aborted', 'the wait was ended');
  } finally {
    if (place.isQueued) await store.transact((tables) => tables.removeRequest(own.id));
  }
}

interface InQueue {
  readonly ports: LeasePorts;
  readonly watch: Watch;
  readonly own: Omit<RequestRecord, 'heartbeatMs'>;
  isQueued: boolean;
  heardMs: number;
}

type Asked =
  | { readonly kind: 'granted'; readonly lease: ReturnType<typeof hold> }
  | Exclude<Verdict, { readonly kind: 'granted' }>;

/** `once`: now or not at all. */
async function ask(place: InQueue, once: boolean): Promise<Asked> {
  const { ports } = place;
  const seen = await look(ports);
  const nowMs = ports.clock.nowMs();
  const isKnown = place.isQueued && nowMs - place.heardMs < heartbeatEveryMs;
  if (isKnown) {
    // Reading costs no write to the disk; what is granted is judged again where it can be taken.
    const verdict = await ports.store.read((tables) => judge(place, tables, seen, nowMs));
    if (verdict.kind === 'waits') return verdict;
  }
  const answer = await ports.store.transact((tables): Verdict | LeaseRecord => {
    const verdict = judge(place, tables, seen, nowMs);
    for (const request of tables.requests()) {
      if (isGone(place, request)) tables.removeRequest(request.id);
    }
    if (verdict.kind !== 'granted') {
      if (!once && verdict.kind === 'waits') tables.putRequest({ ...place.own, heartbeatMs: nowMs });
      return verdict;
    }
    const record = leaseFor(place, verdict.slices, nowMs);
    tables.removeRequest(place.own.id);
    tables.putLease(record);
    return record;
  });
  if ('kind' in answer) {
    if (answer.kind === 'granted') throw new TypeError('a grant is taken where it is made');
    place.isQueued ||= !once && answer.kind === 'waits';
    place.heardMs = nowMs;
    return answer;
  }
  place.isQueued = false;
  const slices = seen.flatMap(({ slice }) => (answer.slices.includes(slice.id) ? [slice] : []));
  return { kind: 'granted', lease: hold(ports, answer, slices) };
}

function leaseFor({ ports, own }: InQueue, slices: readonly LeasableSlice[], nowMs: number): LeaseRecord {
  const { id, wish, holder, command } = own;
  return {
    id,
    slices: slices.map((slice) => slice.id),
    wish,
    holder,
    command,
    groups: [],
    grantedMs: nowMs,
    heartbeatMs: ports.clock.nowMs(),
    ttlMs,
    state: { kind: 'held' },
  };
}

/**
 * Who is in the slices is looked up before the store is asked which of them are free. A slice that becomes free in
 * between was found empty by whoever freed it.
 */
async function look({ driver }: LeasePorts): Promise<readonly SliceNow[]> {
  const slices = await machineSlices(driver);
  const inside = await processesIn(driver, slices);
  return slices.map((slice): SliceNow => {
    const strangers = inside.get(slice.id) ?? [];
    if (strangers.length === 0) return { kind: 'ready', slice };
    return { kind: 'taken', slice, why: `${processesInWords(strangers)} without a lease in ${slice.id}` };
  });
}

const usageWindowMs = 6 * 3_600_000;

function judge(place: InQueue, tables: RunTables, seen: readonly SliceNow[], nowMs: number): Verdict {
  const { own } = place;
  const others = tables.requests().filter((one) => one.id !== own.id && !isGone(place, one));
  const requests = [...others, own];
  const shut = new Map(tables.quarantined().map(({ slice, why }) => [slice, why]));
  const slices = seen.map((one): SliceNow => {
    const why = shut.get(one.slice.id);
    return why === undefined ? one : { kind: 'quarantined', slice: one.slice, why };
  });
  const isShared = requests.some(({ wish }) => wish.tenant !== null);
  const usage = isShared ? tables.usage(nowMs - usageWindowMs) : [];
  const verdict = judgeQueue(requests, tables.leases(), slices, usage, nowMs).get(own.id);
  return verdict ?? { kind: 'impossible', why: 'the queue does not know the request' };
}

function isGone({ watch, own }: InQueue, request: RequestRecord): boolean {
  return request.id !== own.id && watch.isGone(request);
}

function no(
  kind: Extract<AcquireAnswer, { readonly ok: false }>['why']['kind'],
  message: string,
): AcquireAnswer {
  return { ok: false, why: { kind, message } };
}
