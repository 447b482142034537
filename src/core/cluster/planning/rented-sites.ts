/** Machines that may be rented, as sites without nodes: what they would be like is read from nodes of their type. */
import { modelByKey } from '#core/catalogue/catalogue';
import { findMachineType, isFractional } from '#core/catalogue/machine-types';
import type { PriceTable } from '#core/cost/price-table';
import type { RentOption } from '#core/plan/documents';
import type { GpuNode } from '../gpu-node.js';
import { labels } from '../label-names.js';
import { acceleratorOf, type Site, type SiteOptions, type Style } from './sites.js';

export type RentAnswer =
  { readonly ok: true; readonly sites: readonly Site[] } | { readonly ok: false; readonly message: string };

/** `mostGpus`: more would have nobody to use them. */
export function rentedSites(
  options: readonly RentOption[],
  sites: readonly Site[],
  prices: PriceTable,
  target: SiteOptions['target'],
  mostGpus: number,
): RentAnswer {
  const found: Site[] = [];
  for (const { machineType, max } of options) {
    const machine = findMachineType(machineType);
    if (machine === undefined)
      return { ok: false, message: `Mica does not know the machine type ${machineType}` };
    const model = modelByKey(machine.model);
    if (isFractional(machine) || model?.kind !== 'mig')
      return { ok: false, message: `a ${machineType} has no whole GPU that can be cut` };
    const alike = sites.find((site) => site.like.machineType === machineType && site.style !== null);
    const isGke = sites.some(({ like }) => like.partitioner === 'gke');
    const partitioner =
      target ?? alike?.like.partitioner ?? (machine.cloud === 'gcp' && isGke ? 'gke' : 'gpu-operator');
    const style: Style = partitioner === 'gke' ? 'gke' : (alike?.style ?? 'mixed');
    if (style === 'gke' && acceleratorOf({ machineType }) === null)
      return { ok: false, message: `GKE has no slice sizes for ${machineType}` };
    const like: GpuNode = alike?.like ?? {
      node: nodeLike(machineType, machine.accelerator),
      ...{ partitioner, strategy: style === 'gke' ? null : style, model, product: null, gpus: machine.gpus },
      ...{ pool: null, machineType, offers: [], migConfig: null, troubles: [] },
    };
    const usdPerHour = prices.find((one) => one.machineType === machineType)?.usdPerHour ?? null;
    const most = Math.ceil(mostGpus / machine.gpus);
    found.push({
      ...{
        key: `rent ${machineType}`,
        like,
        alike: alike?.alike ?? '',
        style,
        units: [],
        group: '',
        allowed: null,
      },
      rent: { machineType, max: Math.min(max ?? most, most), usdPerHour },
    });
  }
  return { ok: true, sites: found };
}

function nodeLike(machineType: string, accelerator: string | null): GpuNode['node'] {
  return {
    ...{ name: machineType, uid: '', resourceVersion: '', annotations: {}, taints: [], createdMs: 0 },
    ...{ isReady: true, isCordoned: false, capacity: {}, allocatable: {} },
    labels: {
      [labels.instanceType]: machineType,
      ...(accelerator === null ? {} : { [labels.gkeAccelerator]: accelerator }),
    },
  };
}
