/** Who is at the other end of a local connection, as the kernel says it: nothing that a caller could make up. */
import type { Socket } from 'node:net';
import type { ProcessMark } from './run-store.js';

export interface Peer {
  readonly mark: ProcessMark;
  readonly uid: number;
}

export interface Peers {
  /** `null`: the kernel does not say, or the process is gone or cannot be seen from here. */
  readonly of: (socket: Socket) => Peer | null;
  /** Why a process group is not this peer's own; `null`: it is, and a signal to it is the peer's to ask for. */
  readonly whyForeign: (peer: Peer, group: ProcessMark) => string | null;
}
