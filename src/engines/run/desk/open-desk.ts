/** The desk of this machine over its store: for one process that has the store open, or for a server and its callers. */
import type { Clock } from '#ports/clock';
import type { LeaseDesk } from '#ports/lease-desk';
import type { LeaseRecord } from '#ports/run-store';
import { endLease, type EndLeasePorts } from '../end-lease.js';
import { reclaimGone } from '../reclaim.js';
import { watchOf } from '../watch.js';
import { ask, withdraw } from './ask.js';
import type { Caller } from './caller.js';
import { clean, keep, quarantine, release, usedMiB } from './held.js';
import type { House } from './house.js';
import { reopen } from './reopen.js';
import { viewFor } from './view.js';

export interface OpenDesk {
  readonly for: (caller: Caller) => LeaseDesk;
  /** Takes back what dead holders left; never fails. */
  readonly tidy: () => Promise<void>;
  /** Leaves what is being taken back from dead holders to the next process that looks. */
  readonly close: () => void;
}

export interface DeskEvents {
  readonly onReclaimed: (lease: LeaseRecord) => void;
}

export function openDesk(ports: EndLeasePorts, { onReclaimed }: Partial<DeskEvents> = {}): OpenDesk {
  const watch = watchOf(ports);
  const over = new AbortController();
  const ending = { ...ports, clock: until(over.signal, ports.clock) };
  let running: Promise<void> | null = null;
  // What fails here fails for the next who looks as well, or is done by then.
  const tidy = (): Promise<void> =>
    (running ??= reclaimGone(ending, watch, onReclaimed)
      .catch(() => undefined)
      .finally(() => (running = null)));
  const house: House = { ports, watch, tidy, known: new Map() };
  return {
    for: (caller) => deskFor(house, ports, caller),
    tidy,
    close: () => over.abort(),
  };
}

/** Whoever has the store open by itself is whoever runs the machine. */
export function ownCaller({ self }: Pick<EndLeasePorts, 'self'>): Caller {
  return { holder: self, tenant: null, whyForeign: () => null };
}

function deskFor(house: House, ports: EndLeasePorts, caller: Caller): LeaseDesk {
  return {
    ask: (request) => ask(house, caller, request),
    withdraw: (request) => withdraw(house, caller, request),
    keep: (lease, groups) => keep(house, caller, lease, groups),
    clean: (lease) => clean(house, caller, lease),
    quarantine: (lease, slice, why) => quarantine(house, caller, lease, { slice, why }),
    release: (lease, peakMemoryMiB) => release(house, caller, lease, peakMemoryMiB),
    usedMiB: (slice) => usedMiB(house, caller, slice),
    list: () => viewFor(house, caller),
    end: (lease) => endLease(ports, caller, lease),
    reopen: (slice, force) => reopen(house, caller, slice, force),
  };
}

/** Whoever sleeps when the signal comes does not go on after it. */
function until(signal: AbortSignal, clock: Clock): Clock {
  return {
    nowMs: clock.nowMs,
    sleep: async (ms) => {
      await clock.sleep(ms, signal);
      signal.throwIfAborted();
    },
  };
}
