/** Live instances: listing them with their compute instances, making and destroying them. */
import type { Profile } from '#core/catalogue/model';
import type { ComputeInstance, DriverCard, GpuInstance } from '#ports/gpu-driver';
import type { Handle } from './abi.js';
import { invalidArgument, notFound } from './codes.js';
import { memoryOf } from './devices.js';
import type { NvmlLibrary } from './library.js';
import { enumerate, handlesIn, orNull, readHandle, readText, readWord, refusedWith } from './reading.js';

/** A compute instance as software sees it: a device with memory and a UUID. */
export interface MigDevice {
  readonly handle: Handle;
  readonly instanceId: number;
  readonly computeInstanceId: number;
}

interface ComputeProfile {
  readonly id: number;
  readonly sliceCount: number;
  readonly multiprocessorCount: number;
}

/** What a GPU instance of this profile can hold; the handle is that of any such instance on the GPU. */
export type ComputeProfilesOf = (profileId: number, instance: Handle) => Promise<readonly ComputeProfile[]>;

/** By GPU: they follow from the profile of the GPU instance, and reading them takes nine calls for each of them. */
export function rememberingComputeProfiles(nvml: NvmlLibrary): (uuid: string) => ComputeProfilesOf {
  const known = new Map<string, readonly ComputeProfile[]>();
  return (uuid) => async (profileId, instance) => {
    const key = `${uuid} ${profileId}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const profiles = await computeProfiles(nvml, instance);
    // The handle of an instance that went meanwhile ends the list too early: such a list is not kept.
    await infoOf(nvml, instance);
    known.set(key, profiles);
    return profiles;
  };
}

/** More compute instances than any GPU instance has. */
const maxComputeInstances = 16;

export async function listInstances(
  nvml: NvmlLibrary,
  device: Handle,
  card: DriverCard,
  computeProfilesOf: ComputeProfilesOf,
): Promise<readonly GpuInstance[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await listOnce(nvml, device, card, computeProfilesOf);
    } catch (error) {
      // Another process destroyed something between two of our calls: its handle is void, so look again.
      if (!refusedWith(error, invalidArgument, notFound) || attempt === 3) throw error;
    }
  }
}

async function listOnce(
  nvml: NvmlLibrary,
  device: Handle,
  card: DriverCard,
  computeProfilesOf: ComputeProfilesOf,
): Promise<readonly GpuInstance[]> {
  const migDevices = await listMigDevices(nvml, device);
  const found: GpuInstance[] = [];
  for (const profile of card.profiles) {
    const buffer = Buffer.alloc(8 * Math.max(1, profile.maxCount));
    const count = [0];
    await nvml.must('nvmlDeviceGetGpuInstances', device, profile.id, buffer, count);
    for (const handle of handlesIn(buffer, count[0]!)) {
      found.push(await describe(nvml, handle, profile, migDevices, computeProfilesOf));
    }
  }
  return found.sort((a, b) => a.id - b.id);
}

async function describe(
  nvml: NvmlLibrary,
  handle: Handle,
  profile: Profile,
  migDevices: readonly MigDevice[],
  computeProfilesOf: ComputeProfilesOf,
): Promise<GpuInstance> {
  const info = await infoOf(nvml, handle);
  const own = migDevices.filter(({ instanceId }) => instanceId === info.id);
  const computeInstances: ComputeInstance[] = [];
  for (const { id: computeProfileId } of await computeProfilesOf(info.profileId, handle)) {
    const buffer = Buffer.alloc(8 * maxComputeInstances);
    const count = [0];
    await nvml.must('nvmlGpuInstanceGetComputeInstances', handle, computeProfileId, buffer, count);
    for (const compute of handlesIn(buffer, count[0]!)) {
      const id = await computeIdOf(nvml, compute);
      computeInstances.push({ id, uuid: await uuidOf(nvml, own, id) });
    }
  }
  return {
    id: info.id,
    profileId: info.profileId,
    placement: { profile: profile.name, ...info.placement },
    computeInstances: computeInstances.sort((a, b) => a.id - b.id),
    // All MIG devices of one GPU instance share its memory, so each of them reports the whole.
    memory: own[0] === undefined ? null : await orNull(memoryOf(nvml, own[0].handle)),
  };
}

export async function listMigDevices(nvml: NvmlLibrary, device: Handle): Promise<readonly MigDevice[]> {
  const most = await readWord(nvml, 'nvmlDeviceGetMaxMigDeviceCount', device);
  const found: MigDevice[] = [];
  for (let index = 0; index < most; index++) {
    // An index without a device is no end: the numbers may have holes.
    const handle = await orNull(readHandle(nvml, 'nvmlDeviceGetMigDeviceHandleByIndex', device, index));
    if (handle === null) continue;
    found.push({
      handle,
      instanceId: await readWord(nvml, 'nvmlDeviceGetGpuInstanceId', handle),
      computeInstanceId: await readWord(nvml, 'nvmlDeviceGetComputeInstanceId', handle),
    });
  }
  return found;
}

export async function createInstance(
  nvml: NvmlLibrary,
  device: Handle,
  profile: Pick<Profile, 'id' | 'name' | 'sizeUnits'>,
  start: number,
): Promise<GpuInstance> {
  const place = { start, size: profile.sizeUnits };
  const name = 'nvmlDeviceCreateGpuInstanceWithPlacement';
  const handle = await readHandle(nvml, name, device, profile.id, place);
  const info = await infoOf(nvml, handle);
  return {
    id: info.id,
    profileId: info.profileId,
    placement: { profile: profile.name, ...info.placement },
    computeInstances: [],
    memory: null,
  };
}

export async function createComputeInstance(
  nvml: NvmlLibrary,
  device: Handle,
  instanceId: number,
  computeProfilesOf: ComputeProfilesOf,
): Promise<ComputeInstance> {
  const instance = await instanceNamed(nvml, device, instanceId);
  const { profileId } = await infoOf(nvml, instance);
  // The one that covers the instance has the most SMs: a double-memory 1g has a compute profile of its own.
  const [widest] = [...(await computeProfilesOf(profileId, instance))].sort(
    (a, b) => b.multiprocessorCount - a.multiprocessorCount || b.sliceCount - a.sliceCount,
  );
  const name = 'nvmlGpuInstanceCreateComputeInstance';
  const compute = await readHandle(nvml, name, instance, widest?.id ?? 0);
  const id = await computeIdOf(nvml, compute);
  const own = (await listMigDevices(nvml, device)).filter((one) => one.instanceId === instanceId);
  return { id, uuid: await uuidOf(nvml, own, id) };
}

export async function destroyComputeInstance(
  nvml: NvmlLibrary,
  device: Handle,
  instanceId: number,
  computeInstanceId: number,
): Promise<void> {
  const instance = await instanceNamed(nvml, device, instanceId);
  const name = 'nvmlGpuInstanceGetComputeInstanceById';
  const compute = await readHandle(nvml, name, instance, computeInstanceId);
  await nvml.must('nvmlComputeInstanceDestroy', compute);
}

export async function destroyInstance(nvml: NvmlLibrary, device: Handle, instanceId: number): Promise<void> {
  await nvml.must('nvmlGpuInstanceDestroy', await instanceNamed(nvml, device, instanceId));
}

function instanceNamed(nvml: NvmlLibrary, device: Handle, instanceId: number): Promise<Handle> {
  return readHandle(nvml, 'nvmlDeviceGetGpuInstanceById', device, instanceId);
}

async function infoOf(nvml: NvmlLibrary, instance: Handle) {
  const info = { device: 0n, id: 0, profileId: 0, placement: { start: 0, size: 0 } };
  await nvml.must('nvmlGpuInstanceGetInfo', instance, info);
  return info;
}

function computeProfiles(nvml: NvmlLibrary, instance: Handle): Promise<readonly ComputeProfile[]> {
  return enumerate(async (number) => {
    const info = {
      id: 0,
      sliceCount: 0,
      instanceCount: 0,
      multiprocessorCount: 0,
      sharedCopyEngineCount: 0,
      sharedDecoderCount: 0,
      sharedEncoderCount: 0,
      sharedJpegCount: 0,
      sharedOfaCount: 0,
    };
    await nvml.must('nvmlGpuInstanceGetComputeInstanceProfileInfo', instance, number, 0, info);
    return info;
  });
}

async function computeIdOf(nvml: NvmlLibrary, compute: Handle): Promise<number> {
  const info = { device: 0n, gpuInstance: 0n, id: 0, profileId: 0, placement: { start: 0, size: 0 } };
  await nvml.must('nvmlComputeInstanceGetInfo_v2', compute, info);
  return info.id;
}

async function uuidOf(nvml: NvmlLibrary, own: readonly MigDevice[], id: number): Promise<string | null> {
  const device = own.find(({ computeInstanceId }) => computeInstanceId === id);
  return device === undefined ? null : readText(nvml, 'nvmlDeviceGetUUID', device.handle);
}
