/** The high-water mark of memory on slices, as far as looking again and again shows it. */
import type { LeasableSlice } from '#core/run/slice';
import type { Clock } from '#ports/clock';
import type { GpuDriver } from '#ports/gpu-driver';

export interface PeakMemory {
  /** The most that was seen in use on any one of the slices; `null`: the driver did not say. Ends the watch. */
  readonly end: () => Promise<number | null>;
}

const firstLookMs = 200;
const lookEveryMs = 1_000;

/** Whoever can say what is in use on a slice. */
export interface SliceMeter {
  /** `null`: not known. */
  readonly usedMiB: (slice: LeasableSlice) => Promise<number | null>;
  /** As the driver's. */
  readonly nextXid: GpuDriver['nextXid'];
}

export function meterOf(driver: Pick<GpuDriver, 'instances' | 'processes' | 'nextXid'>): SliceMeter {
  return { usedMiB: (slice) => usedOn(driver, slice), nextXid: (waitMs) => driver.nextXid(waitMs) };
}

export function watchMemory(
  { meter, clock }: { readonly meter: Pick<SliceMeter, 'usedMiB'>; readonly clock: Clock },
  slices: readonly LeasableSlice[],
): PeakMemory {
  const over = new AbortController();
  let peakMiB: number | null = null;
  const look = async (): Promise<void> => {
    for (const slice of slices) {
      const usedMiB = await meter.usedMiB(slice);
      if (usedMiB !== null) peakMiB = Math.max(peakMiB ?? 0, usedMiB);
    }
  };
  const watching = (async () => {
    for (let waitMs = firstLookMs; ; waitMs = lookEveryMs) {
      await clock.sleep(waitMs, over.signal);
      if (over.signal.aborted) return;
      // What is measured is worth less than what runs: a driver that fails here ends nothing.
      await look().catch(() => undefined);
    }
  })();
  return {
    end: async () => {
      over.abort();
      await watching;
      return peakMiB;
    },
  };
}

export async function usedOn(
  driver: Pick<GpuDriver, 'instances' | 'processes'>,
  { gpuUuid, instanceId }: LeasableSlice,
): Promise<number | null> {
  if (instanceId !== null) {
    const instances = await driver.instances(gpuUuid);
    const found = instances.ok ? instances.value.find(({ id }) => id === instanceId) : undefined;
    return found?.memory?.usedMiB ?? null;
  }
  const processes = await driver.processes(gpuUuid);
  if (!processes.ok || processes.value.some(({ usedMiB }) => usedMiB === null)) return null;
  return processes.value.reduce((sum, { usedMiB }) => sum + (usedMiB ?? 0), 0);
}
