/** What a change needs of the world. */
import type { Clock } from '#ports/clock';
import type { GpuDriver } from '#ports/gpu-driver';
import type { JournalHistory, JournalStore } from '#ports/journal';
import type { Processes } from '#ports/processes';
import type { SliceGuard } from '#ports/slice-guard';

export interface ChangePorts {
  readonly driver: GpuDriver;
  readonly journal: JournalStore & JournalHistory;
  readonly clock: Clock;
  readonly processes: Processes;
  /** Left out: nobody leases slices of this machine. */
  readonly guard?: SliceGuard;
}
