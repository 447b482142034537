/** What leases need of the world. */
import type { Clock } from '#ports/clock';
import type { GpuDriver } from '#ports/gpu-driver';
import type { JobRunner } from '#ports/job-runner';
import type { Processes } from '#ports/processes';
import type { ProcessMark, RunStore } from '#ports/run-store';

export interface LeasePorts {
  readonly store: RunStore;
  readonly driver: GpuDriver;
  readonly clock: Clock;
  readonly processes: Pick<Processes, 'bootId' | 'startOf' | 'isAlive'>;
  readonly runner: Pick<JobRunner, 'isGroupAlive' | 'signalGroup'>;
  /** Who holds what is leased here. */
  readonly self: ProcessMark;
  /** Never the same again, on this machine. */
  readonly newId: () => string;
}

/** Whether the process that a mark names has ended. One that cannot be told from a later one counts as alive. */
export function hasEnded({ processes }: Pick<LeasePorts, 'processes'>, mark: ProcessMark): boolean {
  const bootId = processes.bootId();
  if (mark.bootId !== null && bootId !== null && mark.bootId !== bootId) return true;
  if (!processes.isAlive(mark.pid)) return true;
  const startedAt = processes.startOf(mark.pid);
  return startedAt !== null && startedAt !== mark.startedAt;
}
