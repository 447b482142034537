/** The state of a simulated machine in the words of the GpuDriver port. */
import type { MigModel } from '#core/catalogue/model';
import { placementOf } from '#core/geometry/placement';
import type { ComputeInstance, DriverCard, GpuInfo, GpuInstance } from '#ports/gpu-driver';
import { uuidOf, type GpuState, type InstanceState } from './machine-state.js';
import { modelOf, profileOf } from './silicon.js';

/** New enough for every model; a release that an RTX PRO 6000 was seen with. */
const driverVersion = '610.43.02';
const busesPerDomain = 0xe0;

export function describeGpu(gpu: GpuState, index: number): GpuInfo {
  const model = modelOf(gpu);
  const isMig = model.kind === 'mig';
  return {
    index,
    uuid: gpu.uuid,
    name: model.productNames[0] ?? model.name,
    pciBusId: `${hex(Math.floor(index / busesPerDomain), 8)}:${hex(0x10 + (index % busesPerDomain), 2)}:00.0`,
    pciDeviceId: model.pciDeviceIds[0] ?? 'FFFF',
    pciSubsystemId: model.pciSubsystemIds?.[0] ?? null,
    driverVersion,
    vbiosVersion: isMig ? model.migEnable.minVbios : null,
    memoryMiB: model.memoryMiB,
    mig: isMig ? { current: gpu.migCurrent, pending: gpu.migPending } : null,
  };
}

export function describeCard(model: MigModel): DriverCard {
  return { gridUnits: model.gridUnits, profiles: model.profiles };
}

export function describeInstance(gpu: GpuState, instance: InstanceState): GpuInstance {
  const model = modelOf(gpu);
  if (model.kind !== 'mig') throw new RangeError(`a ${model.key} has no instances`);
  const profile = profileOf(model, instance);
  const isWhole = instance.computeInstances.length > 0;
  return {
    id: instance.id,
    profileId: instance.profileId,
    placement: placementOf(profile, instance.start),
    computeInstances: instance.computeInstances.map((id) => describeCompute(gpu, instance.id, id)),
    memory:
      isWhole && profile.memoryMiB !== null
        ? { usedMiB: usedIn(gpu, instance.id), totalMiB: profile.memoryMiB }
        : null,
  };
}

export function describeCompute(gpu: GpuState, instanceId: number, id: number): ComputeInstance {
  return { id, uuid: `MIG-${uuidOf(`${gpu.uuid}/${instanceId}/${id}`)}` };
}

function usedIn(gpu: GpuState, instanceId: number): number {
  return gpu.clients
    .filter((client) => client.instanceId === instanceId)
    .reduce((sum, { usedMiB }) => sum + (usedMiB ?? 0), 0);
}

function hex(number: number, digits: number): string {
  return number.toString(16).toUpperCase().padStart(digits, '0');
}
