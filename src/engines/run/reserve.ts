/**
 * Slices that are about to be destroyed, held by whoever changes the GPU as if it leased them: nobody who has one loses
 * it, and nobody gets one that is about to go.
 */
import { sliceIdOf } from '#core/run/slice';
import type { LeaseRecord } from '#ports/run-store';
import type { GuardedSlice, SliceFence, SliceGuard, SliceHolder } from '#ports/slice-guard';
import { machineSlices } from './machine-slices.js';
import { hasEnded, type LeasePorts } from './ports.js';
import { reclaim } from './reclaim.js';

export interface ReserveOptions {
  /** `null`: nothing was ever leased on this machine. Throws MicaError where what was leased cannot be read. */
  readonly open: () => Promise<LeasePorts | null>;
  /** What the holder does, for `mica ps`. */
  readonly command: readonly string[];
}

export function reserving({ open, command }: ReserveOptions): SliceGuard {
  return {
    holders: async (slices) => {
      const ports = slices.length === 0 ? null : await open();
      if (ports === null) return [];
      const leases = await ports.store.read((tables) => tables.leases());
      return holdersIn(
        leases.filter((lease) => isAlive(ports, lease)),
        slices,
      );
    },
    fence: async (slices) => {
      // Where nobody can read who has what, nobody can lease what is made either.
      const ports = slices.length === 0 ? await open().catch(() => null) : await open();
      if (ports === null) return { ok: true, fence: openFence };
      const ids = new Set(slices.map(idOf));
      const isDead = (lease: LeaseRecord): boolean => !isAlive(ports, lease);
      // What dead holders left is emptied first, as for everybody who leases.
      await reclaim(ports, (lease) => lease.slices.some((id) => ids.has(id)) && isDead(lease));
      const mark = reservation(ports, command);
      const holders = await ports.store.transact((tables) => {
        const found = holdersIn(tables.leases(), slices);
        if (found.length === 0 && ids.size > 0) tables.putLease({ ...mark, slices: [...ids] });
        return found;
      });
      return holders.length > 0 ? { ok: false, holders } : { ok: true, fence: fenceOf(ports, mark, ids) };
    },
  };
}

const openFence: SliceFence = { made: async () => undefined, release: async () => undefined };

function fenceOf(ports: LeasePorts, mark: LeaseRecord, going: ReadonlySet<string>): SliceFence {
  const { store, driver } = ports;
  const held = new Set(going);
  return {
    made: async (slice) => {
      held.add(idOf(slice));
      await store.transact((tables) => {
        tables.putLease({ ...mark, slices: [...held] });
        // It was another slice that broke there: what comes with the same id is new.
        tables.removeQuarantine(idOf(slice));
      });
    },
    release: async () => {
      if (held.size === 0) return;
      const there = await idsOn(driver);
      // Where the disk is full the row ends with this process.
      await store
        .transact((tables) => {
          tables.removeLease(mark.id);
          for (const id of there === null ? [] : held) if (!there?.has(id)) tables.removeQuarantine(id);
        })
        .catch(() => undefined);
    },
  };
}

function reservation({ newId, self, clock }: LeasePorts, command: readonly string[]): LeaseRecord {
  const nowMs = clock.nowMs();
  return {
    id: newId(),
    slices: [],
    wish: { slice: { kind: 'any' }, count: 1, tenant: null, priority: 0 },
    holder: self,
    command,
    groups: [],
    grantedMs: nowMs,
    heartbeatMs: nowMs,
    // However long it is silent: a change that is stopped halfway goes on where it stopped. It ends with its process.
    ttlMs: Number.MAX_SAFE_INTEGER,
    state: { kind: 'held' },
  };
}

function holdersIn(leases: readonly LeaseRecord[], slices: readonly GuardedSlice[]): readonly SliceHolder[] {
  return leases.flatMap(({ id, holder, command, slices: ids }): readonly SliceHolder[] => {
    const theirs = slices.filter((slice) => ids.includes(idOf(slice)));
    return theirs.length === 0 ? [] : [{ lease: id, pid: holder.pid, command, slices: theirs }];
  });
}

/** Its holder, or whoever takes it back for a holder that is gone. */
function isAlive(ports: LeasePorts, { state, holder }: LeaseRecord): boolean {
  return !hasEnded(ports, state.kind === 'held' ? holder : state.by);
}

async function idsOn(driver: LeasePorts['driver']): Promise<ReadonlySet<string> | null> {
  try {
    return new Set((await machineSlices(driver)).map(({ id }) => id));
  } catch {
    return null;
  }
}

function idOf({ gpuUuid, placement, instanceId }: GuardedSlice): string {
  const instance = placement === null || instanceId === null ? null : { placement, id: instanceId };
  return sliceIdOf(gpuUuid, instance);
}
