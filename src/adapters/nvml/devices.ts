/** The GPUs of the machine: who they are, how much memory they have, and their MIG mode. */
import type { GpuInfo } from '#ports/gpu-driver';
import { structs, versionWord, type Handle } from './abi.js';
import { functionNotFound, gpuIsLost, gpuNotFound, success, versionMismatch } from './codes.js';
import type { NvmlLibrary } from './library.js';
import { asMiB, orNull, readHandle, readText, refusedWith } from './reading.js';

export type MigMode = NonNullable<GpuInfo['mig']>;

/** Looked up for every piece of work, since a reset voids all handles. */
export function deviceNamed(nvml: NvmlLibrary, uuid: string): Promise<Handle> {
  return readHandle(nvml, 'nvmlDeviceGetHandleByUUID', uuid);
}

/** GPUs that fell off the bus have no UUID any more and are left out. */
export async function listGpus(nvml: NvmlLibrary): Promise<readonly GpuInfo[]> {
  const count = [0];
  await nvml.must('nvmlDeviceGetCount_v2', count);
  const driverVersion = await readText(nvml, 'nvmlSystemGetDriverVersion');
  const gpus: GpuInfo[] = [];
  for (let index = 0; index < count[0]!; index++) {
    try {
      const device = await readHandle(nvml, 'nvmlDeviceGetHandleByIndex_v2', index);
      gpus.push(await infoOf(nvml, device, index, driverVersion));
    } catch (error) {
      if (!refusedWith(error, gpuIsLost, gpuNotFound)) throw error;
    }
  }
  return gpus;
}

async function infoOf(
  nvml: NvmlLibrary,
  device: Handle,
  index: number,
  driverVersion: string,
): Promise<GpuInfo> {
  const pci = { busIdLegacy: '', domain: 0, bus: 0, device: 0, pciDeviceId: 0, pciSubSystemId: 0, busId: '' };
  await nvml.must('nvmlDeviceGetPciInfo_v3', device, pci);
  const memory = await orNull(memoryOf(nvml, device));
  return {
    index,
    uuid: await readText(nvml, 'nvmlDeviceGetUUID', device),
    name: await readText(nvml, 'nvmlDeviceGetName', device),
    pciBusId: pci.busId,
    pciDeviceId: upperHalf(pci.pciDeviceId),
    pciSubsystemId: pci.pciSubSystemId === 0 ? null : upperHalf(pci.pciSubSystemId),
    driverVersion,
    vbiosVersion: await orNull(readText(nvml, 'nvmlDeviceGetVbiosVersion', device)),
    memoryMiB: memory === null ? null : memory.totalMiB,
    mig: await orNull(migModeOf(nvml, device)),
  };
}

export async function migModeOf(nvml: NvmlLibrary, device: Handle): Promise<MigMode> {
  const current = [0];
  const pending = [0];
  await nvml.must('nvmlDeviceGetMigMode', device, current, pending);
  return { current: current[0] === 1, pending: pending[0] === 1 };
}

/** Of a GPU or of a MIG device. */
export async function memoryOf(
  nvml: NvmlLibrary,
  device: Handle,
): Promise<{ readonly usedMiB: number; readonly totalMiB: number }> {
  // Version 2 leaves out of `used` what the driver keeps for itself, as nvidia-smi prints it; drivers before R510
  // have only version 1.
  const info = { version: versionWord(structs.memoryV2, 2), total: 0, reserved: 0, free: 0, used: 0 };
  const code = await nvml.call('nvmlDeviceGetMemoryInfo_v2', device, info);
  if (code === success) return { usedMiB: asMiB(info.used), totalMiB: asMiB(info.total) };
  const old = { total: 0, free: 0, used: 0 };
  if (code !== functionNotFound && code !== versionMismatch) {
    await nvml.must('nvmlDeviceGetMemoryInfo_v2', device, info);
  }
  await nvml.must('nvmlDeviceGetMemoryInfo', device, old);
  return { usedMiB: asMiB(old.used), totalMiB: asMiB(old.total) };
}

/** The id itself: NVML puts the vendor's into the lower half. */
function upperHalf(id: number): string {
  return (id >>> 16).toString(16).toUpperCase().padStart(4, '0');
}
