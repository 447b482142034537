/** What this machine has to lease now, and who is in it: as the driver says, a model's figures where it says nothing. */
import { findModel } from '#core/catalogue/find-model';
import type { GpuModel } from '#core/catalogue/model';
import { MicaError } from '#core/errors';
import { sliceIdOf, type LeasableSlice } from '#core/run/slice';
import type { DriverAnswer, GpuDriver, GpuInfo, GpuInstance, GpuProcess } from '#ports/gpu-driver';

/**
 * Slices that are cut and can be used, and whole GPUs with MIG off, in the order of the machine. A GPU whose mode waits
 * for a reset has none. Throws MicaError where the driver does not answer.
 */
export async function machineSlices(driver: GpuDriver): Promise<readonly LeasableSlice[]> {
  const gpus = expected(await driver.gpus(), 'list the GPUs');
  const slices = await Promise.all(gpus.map((gpu) => slicesOf(driver, gpu)));
  return slices.flat();
}

async function slicesOf(driver: GpuDriver, gpu: GpuInfo): Promise<readonly LeasableSlice[]> {
  const { mig } = gpu;
  if (mig !== null && mig.current !== mig.pending) return [];
  if (mig?.current !== true) return [wholeGpu(gpu)];
  const instances = expected(await driver.instances(gpu.uuid), 'list the slices');
  if (instances.length === 0) return [];
  const card = await driver.card(gpu.uuid);
  const model = modelOf(gpu);
  const profiles = card.ok ? card.value.profiles : model?.kind === 'mig' ? model.profiles : [];
  const ends = instances.map(({ placement }) => placement.start + placement.size);
  const gridUnits = card.ok
    ? card.value.gridUnits
    : model?.kind === 'mig'
      ? model.gridUnits
      : Math.max(...ends);
  return [...instances]
    .sort((a, b) => a.placement.start - b.placement.start)
    .flatMap((instance): readonly LeasableSlice[] => {
      const device = deviceOf(instance);
      if (device === null) return [];
      const profile = profiles.find(({ id }) => id === instance.profileId);
      const { placement } = instance;
      return [
        {
          id: sliceIdOf(gpu.uuid, instance),
          gpuUuid: gpu.uuid,
          gpuIndex: gpu.index,
          model: model?.key ?? null,
          profile: placement.profile,
          start: placement.start,
          instanceId: instance.id,
          device,
          memoryMiB: instance.memory?.totalMiB ?? profile?.memoryMiB ?? null,
          sizeUnits: placement.size,
          gridUnits,
        },
      ];
    });
}

function wholeGpu(gpu: GpuInfo): LeasableSlice {
  const model = modelOf(gpu);
  const gridUnits = model?.kind === 'mig' ? model.gridUnits : 1;
  return {
    id: gpu.uuid,
    gpuUuid: gpu.uuid,
    gpuIndex: gpu.index,
    model: model?.key ?? null,
    profile: null,
    start: null,
    instanceId: null,
    device: gpu.uuid,
    memoryMiB: gpu.memoryMiB ?? model?.memoryMiB ?? null,
    sizeUnits: gridUnits,
    gridUnits,
  };
}

/** A slice with several compute instances was divided by somebody who shares it: it is not one thing to lease. */
function deviceOf({ computeInstances: [first, ...others] }: GpuInstance): string | null {
  return others.length > 0 ? null : (first?.uuid ?? null);
}

/** The device id tells boards of one name apart, the name boards of one id. */
function modelOf({ name, pciDeviceId }: GpuInfo): GpuModel | null {
  for (const query of [pciDeviceId, name]) {
    const found = findModel(query);
    if (found.ok) return found.model;
  }
  return null;
}

/** Who is in each of these slices. Throws MicaError where the driver does not say. */
export async function processesIn(
  driver: GpuDriver,
  slices: readonly LeasableSlice[],
): Promise<ReadonlyMap<string, readonly GpuProcess[]>> {
  const uuids = [...new Set(slices.map(({ gpuUuid }) => gpuUuid))];
  const listed = new Map(
    await Promise.all(
      uuids.map(
        async (uuid) => [uuid, expected(await driver.processes(uuid), 'list the processes')] as const,
      ),
    ),
  );
  return new Map(
    slices.map((slice) => [
      slice.id,
      (listed.get(slice.gpuUuid) ?? []).filter(
        ({ instanceId }) => slice.instanceId === null || instanceId === slice.instanceId,
      ),
    ]),
  );
}

/** `python (pid 4211), a process (pid 7)`. */
export function processesInWords(processes: readonly Pick<GpuProcess, 'pid' | 'name'>[]): string {
  return processes.map(({ pid, name }) => `${name ?? 'a process'} (pid ${pid})`).join(', ');
}

function expected<T>(answer: DriverAnswer<T>, what: string): T {
  if (answer.ok) return answer.value;
  throw new MicaError('driver-failed', `the driver did not ${what}: ${answer.why.message}`);
}
