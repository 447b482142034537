/** Callers on a Unix socket of this machine, and whether processes are theirs. */
import type { Peer, Peers } from '#ports/peers';
import type { Processes } from '#ports/processes';
import { credentialsOf } from './credentials.js';
import { statusOf } from './process-status.js';

const root = 0;

export function kernelPeers(processes: Pick<Processes, 'bootId' | 'startOf'>): Peers {
  return {
    of: (socket): Peer | null => {
      const credentials = credentialsOf(socket);
      if (credentials === null) return null;
      const { pid, uid } = credentials;
      const startedAt = processes.startOf(pid);
      // Whoever connected and went has left a number that may be somebody else's by now.
      if (startedAt === null || statusOf(pid)?.uid !== uid) return null;
      return { mark: { pid, startedAt, bootId: processes.bootId() }, uid };
    },
    whyForeign: (peer, { pid, startedAt, bootId }) => {
      const status = statusOf(pid);
      const isThatOne =
        processes.startOf(pid) === startedAt && (bootId ?? peer.mark.bootId) === peer.mark.bootId;
      if (status === null || !isThatOne) return `there is no process ${pid} that began then`;
      if (status.group !== pid || status.session !== pid) return `process ${pid} leads no group of its own`;
      // A number from a namespace of its own means another process here.
      if (statusOf(peer.mark.pid)?.isNested !== false || status.isNested) {
        return `process ${pid} is counted in another pid namespace, as in a container`;
      }
      if (peer.uid !== root && status.uid !== peer.uid) return `there is no process ${pid} that began then`;
      return null;
    },
  };
}
