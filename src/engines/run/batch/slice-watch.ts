/** What the driver says about slices while jobs run on them: errors that break one. */
import type { LeasableSlice } from '#core/run/slice';
import type { XidEvent } from '#ports/gpu-driver';
import type { BatchPorts } from './ports.js';
import { isOfApplication } from './xids.js';

export interface SliceWatch {
  /** A job runs on the slice from now on. The signal aborts with the reason when the slice broke. */
  readonly begin: (slice: LeasableSlice) => { readonly broken: AbortSignal; readonly end: () => void };
  /** Until the signal; rejects never. */
  readonly run: (until: AbortSignal) => Promise<void>;
}

export interface WatchEvents {
  /** Ends before the job is told: the slice is kept from others first. */
  readonly onBroken: (slice: LeasableSlice, why: string) => Promise<void>;
  readonly onRemark: (text: string) => void;
}

/** Short, since a batch that has ended waits for the last wait to end. */
const xidWaitMs = 100;

export function sliceWatch(
  { meter }: Pick<BatchPorts, 'meter'>,
  { onBroken, onRemark }: WatchEvents,
): SliceWatch {
  const jobs = new Set<{ readonly slice: LeasableSlice; readonly breaking: AbortController }>();

  async function watchErrors(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      const answer = await meter.nextXid(xidWaitMs);
      if (!answer.ok) {
        onRemark(`errors of the GPUs cannot be watched: ${answer.why.message}`);
        return;
      }
      if (answer.value !== null) await judge(answer.value);
    }
  }

  async function judge(event: XidEvent): Promise<void> {
    const hit = [...jobs].filter(({ slice }) => isNamed(event, slice));
    const where = event.instanceId === null ? event.gpuUuid : `${event.gpuUuid} instance ${event.instanceId}`;
    if (hit.length === 0 || isOfApplication(event.xid)) {
      onRemark(`Xid ${event.xid} on ${where}`);
      return;
    }
    for (const { slice, breaking } of hit) {
      const why = `Xid ${event.xid} on ${slice.id}`;
      try {
        await onBroken(slice, why);
      } finally {
        breaking.abort(why);
      }
    }
  }

  return {
    begin: (slice) => {
      const watched = { slice, breaking: new AbortController() };
      jobs.add(watched);
      return { broken: watched.breaking.signal, end: () => void jobs.delete(watched) };
    },
    run: (until) =>
      watchErrors(until).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        onRemark(`the GPUs are not watched any more: ${why}`);
      }),
  };
}

/** An error that names no instance is of the whole GPU; whether its slices still work is not known from it. */
function isNamed({ gpuUuid, instanceId }: XidEvent, slice: LeasableSlice): boolean {
  return gpuUuid === slice.gpuUuid && instanceId === slice.instanceId;
}
