/** What running a batch takes from the world. */
import type { Clock } from '#ports/clock';
import type { JobRunner } from '#ports/job-runner';
import type { ProcessMark, RunStore } from '#ports/run-store';
import type { Leases } from '../leases.js';
import type { SliceMeter } from '../peak-memory.js';
import type { LeasePorts } from '../ports.js';

export interface BatchPorts {
  readonly store: RunStore;
  readonly leases: Leases;
  readonly runner: JobRunner;
  readonly meter: SliceMeter;
  readonly clock: Clock;
  /** This process. */
  readonly self: ProcessMark;
  readonly processes: LeasePorts['processes'];
  /** Where an attempt writes what it says; the folder is there. */
  readonly logOf: (attempt: { readonly job: number; readonly attempt: number }) => string;
  /** What every job gets besides its slice. */
  readonly env: Readonly<Record<string, string | undefined>>;
}
