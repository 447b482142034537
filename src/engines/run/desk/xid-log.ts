/** Errors of the GPUs, which a driver says once, kept for all holders that ask; oldest ones are forgotten. */
import type { LeasableSlice } from '#core/run/slice';
import type { GpuDriver, XidEvent } from '#ports/gpu-driver';

export interface XidsSince {
  /** What to ask after the next time. */
  readonly last: number;
  readonly events: readonly XidEvent[];
}

export interface XidLog {
  /** Until the signal; rejects never. */
  readonly run: (driver: Pick<GpuDriver, 'nextXid'>, until: AbortSignal) => Promise<void>;
  /** Those on these slices; `null`: none yet, from now on. A number that is none of this log's counts as that. */
  readonly since: (after: number | null, slices: readonly LeasableSlice[]) => XidsSince;
}

const mostKept = 1000;
const waitMs = 500;

/** `first`: another for each log, so that whoever knows an earlier one notices. */
export function xidLog(first: number): XidLog {
  let kept: readonly { readonly number: number; readonly event: XidEvent }[] = [];
  let last = first;
  return {
    run: async (driver, until) => {
      while (!until.aborted) {
        const answer = await driver.nextXid(waitMs).catch(() => null);
        // A driver that cannot say it now will not later.
        if (answer?.ok !== true) return;
        if (answer.value === null) continue;
        last += 1;
        kept = [...kept, { number: last, event: answer.value }].slice(-mostKept);
      }
    },
    since: (after, slices) => {
      const isKnown = after !== null && after >= first && after <= last;
      const events = isKnown ? kept.filter(({ number }) => number > after).map(({ event }) => event) : [];
      const isOn = (event: XidEvent): boolean =>
        slices.some(
          ({ gpuUuid, instanceId }) => event.gpuUuid === gpuUuid && event.instanceId === instanceId,
        );
      return { last, events: events.filter(isOn) };
    },
  };
}
