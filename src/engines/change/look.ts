/** Reading a GPU through its driver: as deciding needs it, with every "no" as a reason. */
import type { LiveGpu, LiveInstance } from '#core/plan/gpu-actions';
import type { GpuDriver, GpuInfo, GpuInstance } from '#ports/gpu-driver';
import { driverWhy, type Why } from './answer.js';

export type Looked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: Why };

/** The GPU now. `mig`: its mode, where nothing has happened since that could have changed it. */
export async function lookAt(
  driver: GpuDriver,
  uuid: string,
  mig: LiveGpu['mig'] | null = null,
): Promise<Looked<LiveGpu>> {
  const mode = mig === null ? await modeOf(driver, uuid) : { ok: true as const, value: mig };
  if (!mode.ok) return mode;
  const instances = await instancesOf(driver, { uuid, mig: mode.value });
  if (!instances.ok) return instances;
  return { ok: true, value: { mig: mode.value, instances: instances.value.map(liveInstance) } };
}

async function modeOf(driver: GpuDriver, uuid: string): Promise<Looked<LiveGpu['mig']>> {
  const gpus = await driver.gpus();
  if (!gpus.ok) return { ok: false, why: driverWhy(gpus, 'list the GPUs') };
  const info = gpus.value.find((gpu) => gpu.uuid === uuid);
  if (info !== undefined) return { ok: true, value: info.mig ?? { current: false, pending: false } };
  const message = `the driver does not list ${uuid} any more; look into the kernel log (\`dmesg\`), it may have fallen off the bus`;
  return { ok: false, why: { kind: 'unknown-gpu', message } };
}

export async function instancesOf(
  driver: GpuDriver,
  { uuid, mig }: Pick<GpuInfo, 'uuid' | 'mig'>,
): Promise<Looked<readonly GpuInstance[]>> {
  if (mig?.current !== true) return { ok: true, value: [] };
  const instances = await driver.instances(uuid);
  if (!instances.ok) return { ok: false, why: driverWhy(instances, 'list the instances') };
  return instances;
}

/** Whether nothing has happened to the GPU between two looks, as far as one can see. */
export function isSameGpu(one: LiveGpu, other: LiveGpu): boolean {
  return asText(one) === asText(other);
}

function asText({ mig, instances }: LiveGpu): string {
  const marks = instances.map(({ id, placement, computeIds }) =>
    [id, placement.profile, placement.start, ...computeIds].join(' '),
  );
  return JSON.stringify([mig.current, mig.pending, marks.sort()]);
}

export function liveInstance({ id, placement, computeInstances }: GpuInstance): LiveInstance {
  return { id, placement, computeIds: computeInstances.map((compute) => compute.id) };
}
