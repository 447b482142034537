/** The leases of this machine, for one process. */
import type { Clock } from '#ports/clock';
import { acquire } from './acquire.js';
import type { Leases } from './leases.js';
import type { LeasePorts } from './ports.js';
import { reclaimGone } from './reclaim.js';
import { watchOf } from './watch.js';

export interface OwnLeases extends Leases {
  /** Leaves what is being taken back from dead holders to the next process that looks. */
  readonly close: () => void;
}

export function leasesOn(ports: LeasePorts): OwnLeases {
  const watch = watchOf(ports);
  const over = new AbortController();
  const ending = { ...ports, clock: until(over.signal, ports.clock) };
  let running: Promise<void> | null = null;
  // What fails here fails for the next who looks as well, or is done by then.
  const tidy = (): Promise<void> =>
    (running ??= reclaimGone(ending, watch)
      .catch(() => undefined)
      .finally(() => (running = null)));
  return {
    acquire: (wish, options) => acquire(ports, { watch, tidy }, wish, options),
    close: () => over.abort(),
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
