/** Xid events: one event set for all GPUs, made at the first wait and made again after the library was put down. */
import type { XidEvent } from '#ports/gpu-driver';
import type { Handle } from './abi.js';
import { CallRefused, gpuIsLost, gpuNotFound, success, timedOut } from './codes.js';
import type { NvmlLibrary } from './library.js';
import { noWord, orNull, readHandle, readText, refusedWith } from './reading.js';

const xidCriticalError = 8;
/** What the kernel says of a GPU that is not on the bus any more. */
const fellOffTheBus = 79;
/** A wait occupies a thread and holds up a reset, so long ones are done in pieces. */
const pieceMs = 500;

export interface XidWatch {
  readonly next: (timeoutMs: number) => Promise<XidEvent | null>;
}

interface EventSet {
  readonly handle: Handle;
  /** Read beforehand: a GPU that has just said that it is lost may not say any more who it is. */
  readonly uuids: ReadonlyMap<Handle, string>;
}

export function watchXids(nvml: NvmlLibrary): XidWatch {
  let current: { readonly epoch: number; readonly set: Promise<EventSet> } | undefined;
  /** Found lost without an event; told once. */
  let lost: readonly string[] = [];
  const setOf = (): Promise<EventSet> => {
    if (current?.epoch !== nvml.epoch()) {
      current = { epoch: nvml.epoch(), set: registerAll(nvml) };
      // What failed once is tried again at the next wait.
      current.set.catch(() => (current = undefined));
    }
    return current.set;
  };
  /** All are registered anew: those that cannot be are lost. */
  const whoIsLost = async (before: EventSet): Promise<readonly string[]> => {
    const now = await registerAll(nvml);
    const there = new Set(now.uuids.values());
    const gone = [...before.uuids.values()].filter((uuid) => !there.has(uuid));
    if (gone.length === 0) await nvml.call('nvmlEventSetFree', now.handle);
    // The one before is not freed: another wait may be under way on it.
    else current = { epoch: nvml.epoch(), set: Promise.resolve(now) };
    return gone;
  };
  const wait = async (waitMs: number): Promise<XidEvent | null> => {
    const set = await setOf();
    try {
      return await waitOnce(nvml, set, waitMs);
    } catch (error) {
      if (!refusedWith(error, gpuIsLost)) throw error;
      const gone = await whoIsLost(set);
      if (gone.length === 0) throw error;
      lost = [...lost, ...gone.filter((uuid) => !lost.includes(uuid))];
      return null;
    }
  };
  const takeLost = (): XidEvent | null => {
    const [gpuUuid, ...others] = lost;
    lost = others;
    return gpuUuid === undefined ? null : { gpuUuid, xid: fellOffTheBus, instanceId: null };
  };
  return {
    next: async (timeoutMs) => {
      for (let leftMs = timeoutMs; ; leftMs -= pieceMs) {
        const waitMs = Math.max(0, Math.min(leftMs, pieceMs));
        const event = takeLost() ?? (await nvml.during(() => wait(waitMs))) ?? takeLost();
        if (event !== null || leftMs <= pieceMs) return event;
      }
    },
  };
}

async function registerAll(nvml: NvmlLibrary): Promise<EventSet> {
  const handle = await readHandle(nvml, 'nvmlEventSetCreate');
  const uuids = new Map<Handle, string>();
  const count = [0];
  await nvml.must('nvmlDeviceGetCount_v2', count);
  for (let index = 0; index < count[0]!; index++) {
    try {
      const device = await readHandle(nvml, 'nvmlDeviceGetHandleByIndex_v2', index);
      const uuid = await readText(nvml, 'nvmlDeviceGetUUID', device);
      await orNull(nvml.must('nvmlDeviceRegisterEvents', device, xidCriticalError, handle));
      uuids.set(device, uuid);
    } catch (error) {
      // The others are watched all the same.
      if (!refusedWith(error, gpuIsLost, gpuNotFound)) throw error;
    }
  }
  return { handle, uuids };
}

async function waitOnce(
  nvml: NvmlLibrary,
  { handle, uuids }: EventSet,
  timeoutMs: number,
): Promise<XidEvent | null> {
  const data = { device: 0n, eventType: 0, eventData: 0, gpuInstanceId: 0, computeInstanceId: 0 };
  const code = await nvml.call('nvmlEventSetWait_v2', handle, data, timeoutMs);
  if (code === timedOut) return null;
  if (code !== success) throw new CallRefused('nvmlEventSetWait_v2', code);
  return {
    gpuUuid: uuids.get(data.device) ?? (await readText(nvml, 'nvmlDeviceGetUUID', data.device)),
    xid: data.eventData,
    instanceId: data.gpuInstanceId === noWord ? null : data.gpuInstanceId,
  };
}
