/**
 * Leases whose holders are gone: one observer takes each over, ends what is left of it, and gives the slices back or
 * keeps them from everybody. Who dies meanwhile is followed by the next observer.
 */
import type { LeasableSlice } from '#core/run/slice';
import type { LeaseRecord, RunTables } from '#ports/run-store';
import { clearOut } from './clear-out.js';
import { isSameProcess } from './desk/caller.js';
import { machineSlices } from './machine-slices.js';
import { hasEnded, type LeasePorts } from './ports.js';
import { reclaimMs } from './timing.js';
import { usageOf } from './usage.js';
import type { Watch } from './watch.js';

export async function reclaimGone(
  ports: LeasePorts,
  watch: Watch,
  onReclaimed?: (lease: LeaseRecord) => void,
): Promise<void> {
  await forgetRequests(ports, watch);
  await reclaim(ports, (lease) => isOrphan(ports, watch, lease), onReclaimed);
}

/** Whoever waits and is not heard of any more stands in nobody's way, also before somebody else asks. */
async function forgetRequests({ store }: LeasePorts, watch: Watch): Promise<void> {
  const gone = (await store.read((tables) => tables.requests())).filter((one) => watch.isGone(one));
  if (gone.length === 0) return;
  await store.transact((tables) => {
    for (const { id, heartbeatMs } of tables.requests()) {
      if (gone.some((one) => one.id === id && one.heartbeatMs === heartbeatMs)) tables.removeRequest(id);
    }
  });
}

/** The leases that `isWanted` names, and nobody else is reclaiming. */
export async function reclaim(
  ports: LeasePorts,
  isWanted: (lease: LeaseRecord) => boolean,
  onReclaimed: (lease: LeaseRecord) => void = () => undefined,
): Promise<void> {
  const { store } = ports;
  // Most looks find nothing, and reading costs no write to the disk.
  if (!(await store.read((tables) => tables.leases().some(isWanted)))) return;
  const taken = await store.transact((tables) => {
    const wanted = tables.leases().filter(isWanted);
    for (const lease of wanted) takeOver(ports, tables, lease);
    return wanted;
  });
  await Promise.all(
    taken.map(async (lease) => {
      // A slice that is not cut any more has nobody in it.
      const slices = (await machineSlices(ports.driver)).filter(({ id }) => lease.slices.includes(id));
      await finish(ports, lease, slices, null);
      onReclaimed(lease);
    }),
  );
}

function isOrphan(ports: LeasePorts, watch: Watch, lease: LeaseRecord): boolean {
  const { state } = lease;
  if (state.kind === 'held') return watch.isGone(lease);
  // The clock may have been turned back since.
  return hasEnded(ports, state.by) || Math.abs(ports.clock.nowMs() - state.sinceMs) > reclaimMs;
}

/** From now on nothing more runs on its slices. */
export function takeOver(
  { self, clock }: Pick<LeasePorts, 'self' | 'clock'>,
  tables: RunTables,
  lease: LeaseRecord,
): void {
  tables.putLease({ ...lease, state: { kind: 'reclaiming', by: self, sinceMs: clock.nowMs() } });
}

/** `slices`: those of the lease, as far as they are there. */
export async function finish(
  ports: LeasePorts,
  lease: LeaseRecord,
  slices: readonly LeasableSlice[],
  peakMemoryMiB: number | null,
): Promise<void> {
  const { store, clock, self } = ports;
  const unclean = await clearOut(ports, lease.groups, slices, lease.id, { isLast: true });
  // What was used, and what is shut, outlives a loss of power.
  await store.transact(
    (tables) => {
      const now = tables.leases().find(({ id }) => id === lease.id);
      if (now?.state.kind !== 'reclaiming' || !isSameProcess(now.state.by, self)) return;
      const sinceMs = clock.nowMs();
      for (const { slice, why } of unclean) tables.putQuarantine({ slice, why, sinceMs });
      tables.addUsage(usageOf(lease, slices, sinceMs, peakMemoryMiB));
      tables.removeLease(lease.id);
    },
    { durable: true },
  );
}
