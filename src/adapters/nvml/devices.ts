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

/** What a GPU is, for as long as the library is open. */
type GpuFacts = Omit<GpuInfo, 'index' | 'uuid' | 'mig'>;

/**
 * Lists the GPUs; what does not change is read once. GPUs that fell off the bus have no UUID any more and are left out.
 */
export function gpuLister(nvml: NvmlLibrary): () => Promise<readonly GpuInfo[]> {
  let epoch = nvml.epoch();
  const known = new Map<string, GpuFacts>();
  const factsOf = async (device: Handle, uuid: string): Promise<GpuFacts> => {
    if (epoch !== nvml.epoch()) known.clear();
    epoch = nvml.epoch();
    const facts = known.get(uuid) ?? (await readFacts(nvml, device));
    known.set(uuid, facts);
    return facts;
  };
  return async () => {
    const count = [0];
    await nvml.must('nvmlDeviceGetCount_v2', count);
    const gpus: GpuInfo[] = [];
    for (let index = 0; index < count[0]!; index++) {
      try {
        const device = await readHandle(nvml, 'nvmlDeviceGetHandleByIndex_v2', index);
        const uuid = await readText(nvml, 'nvmlDeviceGetUUID', device);
        const facts = await factsOf(device, uuid);
        gpus.push({ index, uuid, ...facts, mig: await orNull(migModeOf(nvml, device)) });
      } catch (error) {
        if (!refusedWith(error, gpuIsLost, gpuNotFound)) throw error;
      }
    }
    return gpus;
  };
}

async function readFacts(nvml: NvmlLibrary, device: Handle): Promise<GpuFacts> {
  const pci = { busIdLegacy: '', domain: 0, bus: 0, device: 0, pciDeviceId: 0, pciSubSystemId: 0, busId: '' };
  await nvml.must('nvmlDeviceGetPciInfo_v3', device, pci);
  const memory = await orNull(memoryOf(nvml, device));
  return {
    name: await readText(nvml, 'nvmlDeviceGetName', device),
    pciBusId: pci.busId,
    pciDeviceId: upperHalf(pci.pciDeviceId),
    pciSubsystemId: pci.pciSubSystemId === 0 ? null : upperHalf(pci.pciSubSystemId),
    driverVersion: await readText(nvml, 'nvmlSystemGetDriverVersion'),
    vbiosVersion: await orNull(readText(nvml, 'nvmlDeviceGetVbiosVersion', device)),
    memoryMiB: memory === null ? null : memory.totalMiB,
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
