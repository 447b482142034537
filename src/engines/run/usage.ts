/** What a lease used, for the bill: its slices and how long. */
import type { LeasableSlice } from '#core/run/slice';
import type { LeaseRecord, UsageRecord } from '#ports/run-store';

/** `slices`: as far as they are still there. */
export function usageOf(
  { id, wish, command, grantedMs }: LeaseRecord,
  slices: readonly LeasableSlice[],
  endMs: number,
  peakMemoryMiB: number | null,
): UsageRecord {
  return {
    lease: id,
    tenant: wish.tenant,
    command,
    slices: slices.map((slice) => ({
      id: slice.id,
      model: slice.model,
      profile: slice.profile,
      sizeUnits: slice.sizeUnits,
      gridUnits: slice.gridUnits,
    })),
    startMs: grantedMs,
    endMs,
    peakMemoryMiB,
  };
}
