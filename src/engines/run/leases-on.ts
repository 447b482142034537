/** Leases for a process: at any desk, or at one of its own over the store of this machine. */
import type { LeaseDesk } from '#ports/lease-desk';
import { acquire } from './acquire.js';
import { openDesk, ownCaller } from './desk/open-desk.js';
import type { EndLeasePorts } from './end-lease.js';
import type { Leases } from './leases.js';
import type { HolderPorts } from './ports.js';

export function leasesAt(ports: HolderPorts): Leases {
  return { acquire: (wish, options) => acquire(ports, wish, options) };
}

export interface OwnLeases extends Leases {
  readonly desk: LeaseDesk;
  /** Leaves what is being taken back from dead holders to the next process that looks. */
  readonly close: () => void;
}

export function leasesOn(ports: EndLeasePorts): OwnLeases {
  const { for: deskFor, close } = openDesk(ports);
  const desk = deskFor(ownCaller(ports));
  return { ...leasesAt({ ...ports, desk }), desk, close };
}
