/** Who uses a GPU: compute, graphics and MPS clients, in an instance or on the whole card. */
import koffi from 'koffi';
import type { GpuProcess } from '#ports/gpu-driver';
import { structs, type FunctionName, type Handle } from './abi.js';
import {
  CallRefused,
  functionNotFound,
  insufficientSize,
  noPermission,
  notSupported,
  success,
} from './codes.js';
import { listMigDevices } from './instances.js';
import type { NvmlLibrary } from './library.js';
import { asMiB, noLong, noWord, readText, refusedWith } from './reading.js';

const lists = [
  'nvmlDeviceGetComputeRunningProcesses_v3',
  'nvmlDeviceGetGraphicsRunningProcesses_v3',
  'nvmlDeviceGetMPSComputeRunningProcesses_v3',
] as const;

interface ProcessInfo {
  readonly pid: number;
  readonly usedGpuMemory: number | bigint;
  readonly gpuInstanceId: number;
}

export async function listProcesses(
  nvml: NvmlLibrary,
  device: Handle,
  migIsOn: boolean,
): Promise<readonly GpuProcess[]> {
  const infos = await readLists(nvml, device, migIsOn);
  const found = new Map<string, GpuProcess>();
  for (const info of infos) {
    // A process that computes and draws is on two lists, with the same memory.
    const key = `${info.pid} ${info.gpuInstanceId}`;
    if (!found.has(key)) found.set(key, await asProcess(nvml, info));
  }
  return [...found.values()];
}

async function readLists(
  nvml: NvmlLibrary,
  device: Handle,
  migIsOn: boolean,
): Promise<readonly ProcessInfo[]> {
  try {
    return await readAll(nvml, device);
  } catch (error) {
    // On a cut card only root sees the whole list, but each MIG device tells its own.
    if (!migIsOn || !refusedWith(error, noPermission)) throw error;
    const devices = await listMigDevices(nvml, device);
    return (await Promise.all(devices.map(({ handle }) => readAll(nvml, handle)))).flat();
  }
}

async function readAll(nvml: NvmlLibrary, device: Handle): Promise<readonly ProcessInfo[]> {
  return (await Promise.all(lists.map((list) => readList(nvml, list, device)))).flat();
}

async function readList(
  nvml: NvmlLibrary,
  list: FunctionName,
  device: Handle,
): Promise<readonly ProcessInfo[]> {
  const { size } = structs.processInfo;
  for (let room = 32; ; room *= 2) {
    const count = { value: room };
    const buffer = Buffer.alloc(room * size);
    const code = await nvml.call(list, device, count, buffer);
    if (code === notSupported || code === functionNotFound) return [];
    // Processes start while we ask, so the count that we are told may be too small again.
    if (code === insufficientSize && room < 2 ** 16) continue;
    if (code !== success) throw new CallRefused(list, code);
    return Array.from(
      { length: count.value },
      (_, index) => koffi.decode(buffer, index * size, structs.processInfo) as ProcessInfo,
    );
  }
}

async function asProcess(nvml: NvmlLibrary, info: ProcessInfo): Promise<GpuProcess> {
  return {
    pid: info.pid,
    name: await nameOf(nvml, info.pid),
    usedMiB: BigInt(info.usedGpuMemory) === noLong ? null : asMiB(info.usedGpuMemory),
    instanceId: info.gpuInstanceId === noWord ? null : info.gpuInstanceId,
  };
}

/** Gone already, or another user's: the list is useful without the name. */
async function nameOf(nvml: NvmlLibrary, pid: number): Promise<string | null> {
  try {
    return await readText(nvml, 'nvmlSystemGetProcessName', pid);
  } catch (error) {
    if (error instanceof CallRefused) return null;
    throw error;
  }
}
