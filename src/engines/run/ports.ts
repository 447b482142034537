/** What leases need of the world. */
import type { Clock } from '#ports/clock';
import type { GpuDriver } from '#ports/gpu-driver';
import type { LeaseDesk } from '#ports/lease-desk';
import type { JobRunner } from '#ports/job-runner';
import type { Processes } from '#ports/processes';
import type { ProcessMark, RunStore } from '#ports/run-store';

export interface LeasePorts {
  readonly store: RunStore;
  readonly driver: GpuDriver;
  readonly clock: Clock;
  readonly processes: Pick<Processes, 'bootId' | 'startOf' | 'isAlive'>;
  readonly runner: Pick<JobRunner, 'isGroupAlive' | 'signalGroup' | 'marked' | 'signalProcess'>;
  /** This process. */
  readonly self: ProcessMark;
  /** Never the same again, on this machine. */
  readonly newId: () => string;
  /** A lease whose holder is silent for longer is taken back. */
  readonly ttlMs?: number;
}

/** What holding leases needs, at whatever desk. */
export interface HolderPorts extends Pick<LeasePorts, 'clock' | 'newId'> {
  readonly desk: LeaseDesk;
}

/**
 * Whether the process that a mark names has ended. One that cannot be told from a later one counts as alive, and so does
 * one of another pid namespace, where nobody here can look: only its heartbeats say whether it lives.
 */
export function hasEnded(
  { processes, self }: Pick<LeasePorts, 'processes'> & Partial<Pick<LeasePorts, 'self'>>,
  mark: ProcessMark,
): boolean {
  const bootId = processes.bootId();
  if (mark.bootId !== null && bootId !== null && mark.bootId !== bootId) return true;
  if (self !== undefined && isElsewhere(self, mark)) return false;
  if (!processes.isAlive(mark.pid)) return true;
  const startedAt = processes.startOf(mark.pid);
  return startedAt !== null && startedAt !== mark.startedAt;
}

/** Counted in another pid namespace than `self`, as in a container: its pid means nobody here. */
export function isElsewhere(self: ProcessMark, { pidNamespace }: ProcessMark): boolean {
  const here = self.pidNamespace ?? null;
  return here !== null && (pidNamespace ?? null) !== null && pidNamespace !== here;
}
