/** What `mica ps` shows: who has which slices, who waits, and which slices nobody gets. Changes nothing. */
import type { LeasableSlice } from '#core/run/slice';
import { accountsOf } from '#core/run/tenant-rights';
import type { DeskView } from '#ports/lease-desk';
import { hasEnded } from '../ports.js';
import { owns, type Caller } from './caller.js';
import { seeSlices, type House } from './house.js';

/** A tenant sees its own, and what is free and may be its own. */
export async function viewFor(house: House, caller: Caller): Promise<DeskView> {
  const { ports } = house;
  const slices = await seeSlices(house);
  const nowMs = ports.clock.nowMs();
  const found = await ports.store.read((tables) => ({
    leases: tables.leases(),
    requests: tables.requests(),
    quarantined: tables.quarantined(),
    tenants: tables.tenants(),
  }));
  const leases = found.leases.filter((lease) => owns(caller, lease));
  const quarantine = caller.tenant === null ? found.quarantined : [];
  const kept = new Set([
    ...found.leases.flatMap((lease) => lease.slices),
    ...found.quarantined.map(({ slice }) => slice),
  ]);
  const account = accountsOf(found.tenants, [], slices)(caller.tenant);
  // What is dedicated to others is not free for a tenant.
  const isOffered = (slice: LeasableSlice): boolean =>
    caller.tenant === null || account?.mayUse(slice) === true;
  const free = slices.filter((slice) => !kept.has(slice.id) && isOffered(slice)).map(({ id }) => id);
  const shown = new Set([
    ...free,
    ...leases.flatMap((lease) => lease.slices),
    ...quarantine.map(({ slice }) => slice),
  ]);
  return {
    slices: slices.filter(({ id }) => shown.has(id)),
    leases: leases.map((lease) => ({
      id: lease.id,
      tenant: lease.wish.tenant,
      slices: lease.slices,
      pid: lease.holder.pid,
      state: lease.state.kind === 'held' && hasEnded(ports, lease.holder) ? 'gone' : lease.state.kind,
      groups: lease.groups.map(({ pid }) => pid),
      heldMs: Math.max(0, nowMs - lease.grantedMs),
      command: lease.command,
    })),
    queue: found.requests
      .filter((request) => owns(caller, request))
      .sort((a, b) => b.wish.priority - a.wish.priority || a.askedMs - b.askedMs)
      .map((request) => ({
        id: request.id,
        tenant: request.wish.tenant,
        pid: request.holder.pid,
        wish: request.wish,
        waitedMs: Math.max(0, nowMs - request.askedMs),
        command: request.command,
      })),
    quarantine,
    free,
  };
}
