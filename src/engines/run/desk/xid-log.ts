/** Errors of the GPUs, which a driver says once, kept for all holders that ask; oldest ones are forgotten. */
import type { LeasableSlice } from '#core/run/slice';
import type { Clock } from '#ports/clock';
import type { GpuDriver, XidEvent } from '#ports/gpu-driver';

export interface XidsSince {
  /** What to ask after the next time. */
  readonly last: number;
  readonly events: readonly XidEvent[];
}

export interface XidLog {
  /** Until the signal; rejects never. */
  readonly run: (driver: Pick<GpuDriver, 'nextXid'>, clock: Clock, until: AbortSignal) => Promise<void>;
  /**
   * Those on these slices or on their whole GPUs; `null`: none yet, from now on. Whoever knows a number of an earlier log
   * has asked before this one began, and hears all of it.
   */
  readonly since: (after: number | null, slices: readonly LeasableSlice[]) => XidsSince;
}

const mostKept = 1000;
const waitMs = 500;
/** A driver that fails may be busy, or its GPU be lost while others work. */
const againMs = 1000;

/** `first`: another for each log, so that whoever knows an earlier one notices. */
export function xidLog(first: number): XidLog {
  let kept: readonly { readonly number: number; readonly event: XidEvent }[] = [];
  let last = first;
  return {
    run: async (driver, clock, until) => {
      while (!until.aborted) {
        const answer = await driver.nextXid(waitMs).catch(() => null);
        if (answer?.ok !== true) {
          if (answer?.why.kind === 'not-supported') return;
          await clock.sleep(againMs, until);
          continue;
        }
        if (answer.value === null) continue;
        last += 1;
        kept = [...kept, { number: last, event: answer.value }].slice(-mostKept);
      }
    },
    since: (after, slices) => {
      const isOurs = after !== null && after >= first && after <= last;
      const heard = after === null ? last : isOurs ? after : first;
      const events = kept.filter(({ number }) => number > heard).map(({ event }) => event);
      const isOn = ({ gpuUuid, instanceId }: XidEvent): boolean =>
        slices.some(
          (slice) => gpuUuid === slice.gpuUuid && (instanceId === null || instanceId === slice.instanceId),
        );
      return { last, events: events.filter(isOn) };
    },
  };
}
