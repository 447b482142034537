/** Every GPU of the machine as it is now: what it can be cut into, what is cut, and who is in it. */
import { findModel } from '#core/catalogue/find-model';
import type { GpuModel } from '#core/catalogue/model';
import { MicaError } from '#core/errors';
import { inGridOrder } from '#core/geometry/placement';
import { cardFor, type KnownCard } from '#engines/change/card';
import type { DriverAnswer, GpuDriver, GpuInfo, GpuInstance, GpuProcess } from '#ports/gpu-driver';

export interface SeenGpu {
  readonly info: GpuInfo;
  /** The catalogue's; `null`: a card that the catalogue does not know. */
  readonly model: GpuModel | null;
  /** `null`: no MIG, or nobody can say before MIG is on. */
  readonly card: KnownCard | null;
  /** In grid order. */
  readonly instances: readonly GpuInstance[];
  readonly processes: readonly GpuProcess[];
  /** What the driver would not say, in words: what is above is then less than there is. */
  readonly troubles: readonly string[];
}

/** Throws MicaError where the driver does not even list the GPUs. */
export async function seeGpus(driver: GpuDriver): Promise<readonly SeenGpu[]> {
  const gpus = await driver.gpus();
  if (!gpus.ok) throw new MicaError('driver-failed', `the GPUs could not be listed: ${gpus.why.message}`);
  return Promise.all(gpus.value.map((info) => seeGpu(driver, info)));
}

async function seeGpu(driver: GpuDriver, info: GpuInfo): Promise<SeenGpu> {
  const troubles: string[] = [];
  const listed = <T>(answer: DriverAnswer<readonly T[]>): readonly T[] => {
    if (answer.ok) return answer.value;
    troubles.push(answer.why.message);
    return [];
  };
  const card = await cardFor(driver, info);
  if (!card.ok) troubles.push(card.why.message);
  const instances = info.mig?.current === true ? listed(await driver.instances(info.uuid)) : [];
  const order = inGridOrder(instances.map(({ placement }) => placement));
  return {
    info,
    model: modelOf(info),
    card: card.ok ? card.value : null,
    instances: [...instances].sort((a, b) => order.indexOf(a.placement) - order.indexOf(b.placement)),
    processes: listed(await driver.processes(info.uuid)),
    troubles,
  };
}

/** The device id tells boards of one name apart, the name boards of one id. */
function modelOf({ name, pciDeviceId }: GpuInfo): GpuModel | null {
  for (const query of [pciDeviceId, name]) {
    const found = findModel(query);
    if (found.ok) return found.model;
  }
  return null;
}

/** Who is in a slice; `null`: on the GPU outside all of them. */
export function processesIn({ processes }: SeenGpu, instanceId: number | null): readonly GpuProcess[] {
  return processes.filter((process) => process.instanceId === instanceId);
}

/** `python (pid 4211)`. */
export function processInWords({ name, pid }: Pick<GpuProcess, 'name' | 'pid'>): string {
  return `${name ?? 'a process'} (pid ${pid})`;
}
