/** Xid events: one event set for all GPUs, made at the first wait and made again after the library was put down. */
import type { XidEvent } from '#ports/gpu-driver';
import type { Handle } from './abi.js';
import { CallRefused, gpuIsLost, gpuNotFound, success, timedOut } from './codes.js';
import type { NvmlLibrary } from './library.js';
import { noWord, orNull, readHandle, readText, refusedWith } from './reading.js';

const xidCriticalError = 8;
/** A wait occupies a thread and holds up a reset, so long ones are done in pieces. */
const pieceMs = 500;

export interface XidWatch {
  readonly next: (timeoutMs: number) => Promise<XidEvent | null>;
}

export function watchXids(nvml: NvmlLibrary): XidWatch {
  let current: { readonly epoch: number; readonly set: Promise<Handle> } | undefined;
  const setOf = (): Promise<Handle> => {
    if (current?.epoch !== nvml.epoch()) {
      current = { epoch: nvml.epoch(), set: registerAll(nvml) };
      // What failed once is tried again at the next wait.
      current.set.catch(() => (current = undefined));
    }
    return current.set;
  };
  return {
    next: async (timeoutMs) => {
      for (let leftMs = timeoutMs; ; leftMs -= pieceMs) {
        const waitMs = Math.max(0, Math.min(leftMs, pieceMs));
        const event = await nvml.during(async () => waitOnce(nvml, await setOf(), waitMs));
        if (event !== null || leftMs <= pieceMs) return event;
      }
    },
  };
}

async function registerAll(nvml: NvmlLibrary): Promise<Handle> {
  const set = await readHandle(nvml, 'nvmlEventSetCreate');
  const count = [0];
  await nvml.must('nvmlDeviceGetCount_v2', count);
  for (let index = 0; index < count[0]!; index++) {
    try {
      const device = await readHandle(nvml, 'nvmlDeviceGetHandleByIndex_v2', index);
      await orNull(nvml.must('nvmlDeviceRegisterEvents', device, xidCriticalError, set));
    } catch (error) {
      // The others are watched all the same.
      if (!refusedWith(error, gpuIsLost, gpuNotFound)) throw error;
    }
  }
  return set;
}

async function waitOnce(nvml: NvmlLibrary, set: Handle, timeoutMs: number): Promise<XidEvent | null> {
  const data = { device: 0n, eventType: 0, eventData: 0, gpuInstanceId: 0, computeInstanceId: 0 };
  const code = await nvml.call('nvmlEventSetWait_v2', set, data, timeoutMs);
  if (code === timedOut) return null;
  if (code !== success) throw new CallRefused('nvmlEventSetWait_v2', code);
  return {
    gpuUuid: await readText(nvml, 'nvmlDeviceGetUUID', data.device),
    xid: data.eventData,
    instanceId: data.gpuInstanceId === noWord ? null : data.gpuInstanceId,
  };
}
