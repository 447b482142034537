/** What the driver says about slices while they are held: errors that break one. */
import type { LeasableSlice } from '#core/run/slice';
import type { DriverAnswer, XidEvent } from '#ports/gpu-driver';
import type { BatchPorts } from './ports.js';
import { isOfApplication, isOfWholeGpu } from './xids.js';

export interface SliceWatch {
  /** The slice is held from now on, also between two jobs. The signal aborts with the reason when it broke. */
  readonly begin: (slice: LeasableSlice, onBroken: OnBroken) => WatchedSlice;
  /** Until the signal; rejects never. */
  readonly run: (until: AbortSignal) => Promise<void>;
  /** Once the driver listens, or cannot: it says nothing of what came before. */
  readonly listening: Promise<void>;
}

export interface WatchedSlice {
  /** From when it is heard; the signal comes after what must be done first. */
  readonly isBroken: () => boolean;
  readonly broken: AbortSignal;
  /** Once all is judged that the driver had to say when this was called. */
  readonly settled: () => Promise<void>;
  readonly end: () => void;
}

/** Rejects never. Ends before the job is told: the slice is kept from others first. */
type OnBroken = (why: string) => Promise<void>;

interface Held {
  readonly slice: LeasableSlice;
  readonly onBroken: OnBroken;
  readonly breaking: AbortController;
  isBroken: boolean;
}

/** Short, since a batch that has ended waits for the last wait to end. */
const xidWaitMs = 100;
/** A driver that is busy, or a server that is started anew, may be heard again. */
const againMs = 1000;

export function sliceWatch(
  { meter, clock }: Pick<BatchPorts, 'meter' | 'clock'>,
  onRemark: (text: string) => void,
): SliceWatch {
  const held = new Set<Held>();
  /** Who waits for a look that began after they asked and found nothing more. */
  let asking: (() => void)[] = [];
  let isDeaf = false;
  let isOver = false;
  let listens: () => void = () => undefined;
  const listening = new Promise<void>((resolve) => (listens = resolve));

  /** The first look takes no time: it is there to have the driver listen. */
  async function watchErrors(until: AbortSignal): Promise<void> {
    for (let waitMs = 0; !until.aborted; waitMs = asking.length > 0 ? 0 : xidWaitMs) {
      const asked = asking;
      asking = [];
      const answer = await next(waitMs);
      if (answer.ok && answer.value !== null) {
        await judge(answer.value);
        asking = [...asked, ...asking];
        continue;
      }
      listens();
      for (const tell of asked) tell();
      if (answer.ok) {
        isDeaf = false;
        continue;
      }
      if (!isDeaf) onRemark(`errors of the GPUs cannot be watched: ${answer.why.message}`);
      if (answer.why.kind === 'not-supported') return;
      isDeaf = true;
      await clock.sleep(againMs, until);
    }
  }

  async function next(waitMs: number): Promise<DriverAnswer<XidEvent | null>> {
    try {
      return await meter.nextXid(waitMs);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, why: { kind: 'unknown', message, code: null } };
    }
  }

  async function judge(event: XidEvent): Promise<void> {
    const hit = [...held].filter(({ slice }) => isNamed(event, slice));
    const where = event.instanceId === null ? event.gpuUuid : `${event.gpuUuid} instance ${event.instanceId}`;
    if (hit.length === 0 || isOfApplication(event.xid)) {
      onRemark(`Xid ${event.xid} on ${where}`);
      return;
    }
    for (const one of hit) one.isBroken = true;
    for (const { slice, onBroken, breaking } of hit) {
      const why = `Xid ${event.xid} on ${slice.id}`;
      await onBroken(why);
      breaking.abort(why);
    }
  }

  return {
    listening,
    begin: (slice, onBroken) => {
      const watched: Held = { slice, onBroken, breaking: new AbortController(), isBroken: false };
      held.add(watched);
      return {
        isBroken: () => watched.isBroken,
        broken: watched.breaking.signal,
        settled: async () => {
          if (!isDeaf && !isOver) await new Promise<void>((resolve) => (asking = [...asking, resolve]));
        },
        end: () => void held.delete(watched),
      };
    },
    run: (until) =>
      watchErrors(until).finally(() => {
        isOver = true;
        listens();
        for (const tell of asking) tell();
      }),
  };
}

/** An error that names no instance is of the whole GPU; whether its slices still work is known of the worst only. */
function isNamed({ gpuUuid, instanceId, xid }: XidEvent, slice: LeasableSlice): boolean {
  const isForAll = instanceId === null && isOfWholeGpu(xid);
  return gpuUuid === slice.gpuUuid && (isForAll || instanceId === slice.instanceId);
}
