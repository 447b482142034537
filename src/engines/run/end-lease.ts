/** Ending somebody's lease: the holder is asked, then made to, and the slices are emptied after it. */
import type { Processes } from '#ports/processes';
import type { EndAnswer } from '#ports/lease-desk';
import type { LeaseRecord } from '#ports/run-store';
import { isNamed, type Caller } from './desk/caller.js';
import { hasEnded, type LeasePorts } from './ports.js';
import { reclaim } from './reclaim.js';
import { graceMs, killMs, lookEveryMs } from './timing.js';

export type EndLeasePorts = LeasePorts & { readonly processes: Pick<Processes, 'signal'> };

export async function endLease(
  ports: EndLeasePorts,
  caller: Pick<Caller, 'tenant'>,
  shownId: string,
): Promise<EndAnswer> {
  const lease = await ports.store.read((tables) =>
    tables.leases().find((one) => isNamed(caller, one, shownId)),
  );
  if (lease === undefined) return no('unknown', `there is no lease ${shownId}`);
  const { id } = lease;
  const { pid, startedAt } = lease.holder;
  for (const [signal, withinMs] of [
    // Time for the holder to end what it runs, by the same two signals.
    ['SIGTERM', graceMs + killMs],
    ['SIGKILL', killMs],
  ] as const) {
    if (hasEnded(ports, lease.holder) || !ports.processes.signal(pid, startedAt, signal)) break;
    if (await isOver(ports, lease, withinMs)) break;
  }
  if ((await find(ports, id)) !== null) {
    if (!hasEnded(ports, lease.holder)) {
      return no('held-on', `its holder (pid ${pid}) did not end, or may not be signalled`);
    }
    await reclaim(ports, (one) => one.id === id);
  }
  const shut = await ports.store.read((tables) => tables.quarantined().map(({ slice }) => slice));
  return { ok: true, quarantined: lease.slices.filter((slice) => shut.includes(slice)) };
}

async function isOver(ports: LeasePorts, lease: LeaseRecord, withinMs: number): Promise<boolean> {
  const deadlineMs = ports.clock.nowMs() + withinMs;
  while (ports.clock.nowMs() < deadlineMs) {
    if (hasEnded(ports, lease.holder) || (await find(ports, lease.id)) === null) return true;
    await ports.clock.sleep(lookEveryMs);
  }
  return false;
}

function find({ store }: LeasePorts, id: string): Promise<LeaseRecord | null> {
  return store.read((tables) => tables.leases().find((lease) => lease.id === id) ?? null);
}

function no(kind: 'unknown' | 'held-on', message: string): EndAnswer {
  return { ok: false, why: { kind, message } };
}
