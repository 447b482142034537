/**
 * Leases whose holders are gone: one observer takes each over, ends what is left of it, and gives the slices back or
 * keeps them from everybody. Who dies meanwhile is followed by the next observer.
 */
import type { LeaseRecord } from '#ports/run-store';
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
  await reclaim(ports, (lease) => isOrphan(ports, watch, lease), onReclaimed);
}

/** The leases that `isWanted` names, and nobody else is reclaiming. */
export async function reclaim(
  ports: LeasePorts,
  isWanted: (lease: LeaseRecord) => boolean,
  onReclaimed: (lease: LeaseRecord) => void = () => undefined,
): Promise<void> {
  const { store, clock, self } = ports;
  // Most looks find nothing, and reading costs no write to the disk.
  if (!(await store.read((tables) => tables.leases().some(isWanted)))) return;
  const taken = await store.transact((tables) => {
    const wanted = tables.leases().filter(isWanted);
    for (const lease of wanted) {
      tables.putLease({ ...lease, state: { kind: 'reclaiming', by: self, sinceMs: clock.nowMs() } });
    }
    return wanted;
  });
  await Promise.all(
    taken.map(async (lease) => {
      await finish(ports, lease);
      onReclaimed(lease);
    }),
  );
}

function isOrphan(ports: LeasePorts, watch: Watch, lease: LeaseRecord): boolean {
  const { state } = lease;
  if (state.kind === 'held') return watch.isGone(lease);
  return hasEnded(ports, state.by) || ports.clock.nowMs() - state.sinceMs > reclaimMs;
}

async function finish(ports: LeasePorts, lease: LeaseRecord): Promise<void> {
  const { store, driver, clock, self } = ports;
  // A slice that is not cut any more has nobody in it.
  const slices = (await machineSlices(driver)).filter(({ id }) => lease.slices.includes(id));
  const unclean = await clearOut(ports, lease.groups, slices, lease.id, { isLast: true });
  // What was used, and what is shut, outlives a loss of power.
  await store.transact(
    (tables) => {
      const now = tables.leases().find(({ id }) => id === lease.id);
      if (now?.state.kind !== 'reclaiming' || !isSameProcess(now.state.by, self)) return;
      const sinceMs = clock.nowMs();
      for (const { slice, why } of unclean) tables.putQuarantine({ slice, why, sinceMs });
      tables.addUsage(usageOf(lease, slices, sinceMs, null));
      tables.removeLease(lease.id);
    },
    { durable: true },
  );
}
