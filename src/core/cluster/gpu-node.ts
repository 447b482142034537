/** What GPUs a node has, how they are cut, and how much of that is in use: read from its labels, counts and pods. */
import { findModel } from '#core/catalogue/find-model';
import { findMachineType, isFractional } from '#core/catalogue/machine-types';
import type { GpuModel } from '#core/catalogue/model';
import { asNvidiaSpells, nameParts } from '#core/catalogue/profile-name';
import { labels } from './label-names.js';
import type { ClusterNode, ClusterPod, DraDevice, GpuResources } from './objects.js';

/** Who cuts the node's GPUs. `device-plugin`: nobody that we know of; the slices are there, or there are none. */
export type Partitioner = 'gke' | 'gpu-operator' | 'dra' | 'device-plugin';

export type Strategy = 'none' | 'single' | 'mixed';

/** Pods ask for `resource`, and get one slice of `profile` (`null`: a whole GPU), or a turn on one. */
export interface Offer {
  /** `nvidia.com/mig-1g.24gb`; of DRA: the device class. */
  readonly resource: string;
  readonly profile: string | null;
  /** As the kubelet says; of DRA: devices in the ResourceSlices. */
  readonly capacity: number;
  readonly allocatable: number;
  /** Of the pods on the node that have not ended. */
  readonly used: number;
  /** Pods for each slice: more than 1 under time-slicing or MPS. */
  readonly clients: number;
}

export interface GpuNode {
  readonly node: ClusterNode;
  readonly partitioner: Partitioner;
  /** `null`: not said. */
  readonly strategy: Strategy | null;
  /** `null`: the catalogue does not know the card; `product` says what the node calls it. */
  readonly model: GpuModel | null;
  readonly product: string | null;
  /** Physical GPUs; `null`: not known. */
  readonly gpus: number | null;
  /** Node pool or node group. */
  readonly pool: string | null;
  readonly machineType: string | null;
  /** Smallest slices first, whole GPUs last; those with neither capacity nor use are left out. */
  readonly offers: readonly Offer[];
  /** What mig-manager was asked for, and says. */
  readonly migConfig: { readonly name: string; readonly state: string | null } | null;
  /** What is wrong, or soon will be, one sentence each. */
  readonly troubles: readonly string[];
}

/** `null`: the node has no GPU. `pods`: those on the node. */
export function gpuNodeOf(
  node: ClusterNode,
  pods: readonly ClusterPod[],
  devices: readonly DraDevice[] = [],
): GpuNode | null {
  const partitioner = partitionerOf(node, devices);
  if (partitioner === null) return null;
  const machineType = node.labels[labels.instanceType] ?? null;
  const product = productOf(node, devices);
  const model = modelOf(product, machineType);
  const strategy = strategyOf(node);
  const offers =
    partitioner === 'dra' ? draOffers(node, devices, pods) : pluginOffers(node, pods, partitioner);
  const config = node.labels[labels.migConfig];
  const reading: Omit<GpuNode, 'troubles'> = {
    node,
    partitioner,
    strategy,
    model,
    product: product?.replace(/-MIG-.*$|-SHARED$/, '') ?? null,
    gpus: gpuCount(node, machineType, offers, model),
    pool: poolOf(node),
    machineType,
    offers,
    migConfig:
      config === undefined ? null : { name: config, state: node.labels[labels.migConfigState] ?? null },
  };
  return {
    ...reading,
    // Told to people: a plan for thousands of nodes does not ask.
    get troubles() {
      return troublesOf(reading);
    },
  };
}

function partitionerOf({ labels: of, capacity, allocatable }: ClusterNode, devices: readonly DraDevice[]) {
  if (of[labels.gkeNoPlugin] !== 'true' && of[labels.gkeAccelerator] !== undefined) return 'gke';
  if (of[labels.migManager] !== undefined || of[labels.migConfig] !== undefined) return 'gpu-operator';
  if (devices.length > 0) return 'dra';
  const hasGpus = of[labels.present] === 'true' || of[labels.product] !== undefined;
  const counts = [...Object.values(capacity), ...Object.values(allocatable)];
  return hasGpus || counts.some((count) => count > 0) ? 'device-plugin' : null;
}

function productOf({ labels: of }: ClusterNode, devices: readonly DraDevice[]): string | null {
  const named = devices.map(({ attributes }) => attributes['productName']).find((one) => one !== undefined);
  return of[labels.product] ?? of[labels.gkeAccelerator] ?? (named === undefined ? null : String(named));
}

/** The machine type tells boards apart that the product name does not. */
function modelOf(product: string | null, machineType: string | null): GpuModel | null {
  for (const name of [product, machineType]) {
    const found = name === null ? null : modelCalled(name);
    if (found !== null) return found;
  }
  return null;
}

/** Thousands of nodes say the same few names, again and again, and a look through the catalogue takes its time. */
const knownNames = new Map<string, GpuModel | null>();
const mostNames = 1000;

function modelCalled(name: string): GpuModel | null {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const found = findModel(name);
  const model = found.ok ? found.model : null;
  if (knownNames.size >= mostNames) knownNames.clear();
  knownNames.set(name, model);
  return model;
}

function strategyOf({ labels: of }: ClusterNode): Strategy | null {
  const said = of[labels.migStrategy];
  return said === 'none' || said === 'single' || said === 'mixed' ? said : null;
}

function poolOf({ labels: of }: ClusterNode): string | null {
  return of[labels.gkePool] ?? of[labels.eksGroup] ?? of[labels.karpenterPool] ?? null;
}

/** GFD counts devices as the strategy offers them: under `single`, each slice is one. */
function gpuCount(
  node: ClusterNode,
  machineType: string | null,
  offers: readonly Offer[],
  model: GpuModel | null,
): number | null {
  const known = machineType === null ? undefined : findMachineType(machineType);
  if (known !== undefined && !isFractional(known)) return known.gpus;
  const said = Number(node.labels[labels.count] ?? node.labels[labels.gkeCount] ?? Number.NaN);
  const isSliced = /-MIG-/.test(node.labels[labels.product] ?? '');
  if (Number.isInteger(said) && said > 0 && !isSliced) return said;
  const [offer, ...others] = offers;
  if (offer === undefined || others.length > 0) return null;
  const devices = offer.capacity / offer.clients;
  if (offer.profile === null) return Number.isInteger(devices) ? devices : null;
  const profiles = model?.kind === 'mig' ? model.profiles : [];
  const most = profiles.find(({ name }) => name === offer.profile)?.maxCount;
  return most === undefined ? null : Math.ceil(devices / most);
}

const gpuResource = 'nvidia.com/gpu';

function pluginOffers(
  node: ClusterNode,
  pods: readonly ClusterPod[],
  partitioner: Partitioner,
): readonly Offer[] {
  const running = pods.filter(({ phase }) => phase !== 'Succeeded' && phase !== 'Failed');
  const names = new Set(
    [node.capacity, node.allocatable, ...running.map(({ wants }) => wants)].flatMap(keys),
  );
  const wholeAs = partitioner === 'gke' ? gkeSize(node) : singleProfile(node);
  const offers = [...names].map((resource): Offer => {
    const profile = resource.replace(/\.shared$/, '') === gpuResource ? wholeAs : asNvidiaSpells(resource);
    return {
      resource,
      profile,
      capacity: node.capacity[resource] ?? 0,
      allocatable: node.allocatable[resource] ?? 0,
      used: running.reduce((sum, { wants }) => sum + (wants[resource] ?? 0), 0),
      clients: clientsOf(node, partitioner, resource),
    };
  });
  return inOrder(offers.filter(({ capacity, allocatable, used }) => capacity + allocatable + used > 0));
}

function keys(resources: GpuResources): readonly string[] {
  return Object.keys(resources);
}

function gkeSize({ labels: of }: ClusterNode): string | null {
  const size = of[labels.gkePartition];
  return size === undefined || size === '' ? null : asNvidiaSpells(size);
}

/** `…-MIG-1g.10gb` of strategy `single`: `nvidia.com/gpu` is a slice there. */
function singleProfile({ labels: of }: ClusterNode): string | null {
  const name = /-MIG-(\dg\..*?)(?:-SHARED)?$/.exec(of[labels.product] ?? '')?.[1];
  return name === undefined ? null : asNvidiaSpells(name);
}

function clientsOf({ labels: of }: ClusterNode, partitioner: Partitioner, resource: string): number {
  const key = partitioner === 'gke' ? labels.gkeClients : `${resource.replace(/\.shared$/, '')}.replicas`;
  const said = Number(of[key] ?? 1);
  return Number.isInteger(said) && said > 1 ? said : 1;
}

const draClasses = { gpu: 'gpu.nvidia.com', mig: 'mig.nvidia.com' } as const;

/**
 * A place where the driver would cut a slice when somebody claims it (feature DynamicMIG): minor number, profile without
 * its dot, profile id, start. Places of one GPU overlap. Source: kubernetes-sigs/dra-driver-nvidia-gpu@9593204 (2026-08).
 */
const cutOnDemand = /^(gpu-\d+)-mig-\dg\d+gb\w*-\d+-\d+$/;

/**
 * Of DRA the devices are counted; who has them, the claims say. Of places for slices to come only those that are taken
 * are slices, and a GPU that has one cannot be had whole.
 */
function draOffers(
  node: ClusterNode,
  devices: readonly DraDevice[],
  pods: readonly ClusterPod[],
): readonly Offer[] {
  const cut = new Set(
    devices.flatMap(({ device, taken }) => (taken ? (cutOnDemand.exec(device)?.[1] ?? []) : [])),
  );
  const there = devices.filter(
    ({ device, taken }) => (taken || !cutOnDemand.test(device)) && !cut.has(device),
  );
  const counts = new Map<string, number>();
  for (const one of there) counts.set(profileOf(one), (counts.get(profileOf(one)) ?? 0) + 1);
  const plugin = pluginOffers(node, pods, 'device-plugin').filter(({ capacity }) => capacity > 0);
  const offers = [...counts].map(([profile, count]): Offer => ({
    resource: profile === '' ? draClasses.gpu : draClasses.mig,
    profile: profile === '' ? null : profile,
    capacity: count,
    allocatable: count,
    used: there.filter((one) => one.taken && profileOf(one) === profile).length,
    clients: 1,
  }));
  return inOrder([...offers, ...plugin]);
}

function profileOf({ attributes }: DraDevice): string {
  return attributes['type'] === 'mig' ? asNvidiaSpells(String(attributes['profile'] ?? '')) : '';
}

function inOrder(offers: readonly Offer[]): readonly Offer[] {
  return [...offers].sort((a, b) => bySize(a.profile, b.profile) || (a.resource < b.resource ? -1 : 1));
}

/** Smallest first; whole GPUs (`null`) come last. */
export function bySize(a: string | null, b: string | null): number {
  return sizeRank(a) - sizeRank(b);
}

function sizeRank(profile: string | null): number {
  const parts = profile === null ? undefined : nameParts(profile);
  return parts === undefined ? Number.MAX_VALUE : parts.memoryGB * 10 + parts.computeSlices;
}

const paused = 'paused-for-mig-change';

/** What mig-manager, the device plugin and the kubelet are known to leave behind. */
function troublesOf({ node, migConfig, offers, strategy }: Omit<GpuNode, 'troubles'>): readonly string[] {
  const troubles: string[] = [];
  const stopped = Object.entries(node.labels)
    .filter(([key, value]) => key.startsWith(labels.deploy) && value === paused)
    .map(([key]) => key.slice(labels.deploy.length));
  const isChanging = migConfig?.state === 'pending' || migConfig?.state === 'rebooting';
  if (!node.isReady) troubles.push('the node is not ready');
  if (migConfig?.state === 'failed') troubles.push(`mig-manager failed to apply ${migConfig.name}`);
  if (isChanging) troubles.push(`mig-manager is at work on ${migConfig.name} (${migConfig.state})`);
  if (stopped.length > 0 && !isChanging) {
    troubles.push(
      `${stopped.join(', ')} ${stopped.length === 1 ? 'was' : 'were'} paused for a change and not started again`,
    );
  }
  if (/-MIG-INVALID/.test(node.labels[labels.product] ?? '')) {
    troubles.push(`the layout is not one that strategy ${strategy ?? 'single'} can offer: it offers nothing`);
  }
  for (const { resource, capacity, allocatable, used } of offers) {
    if (capacity > allocatable && allocatable === 0 && used === 0) {
      troubles.push(
        `${resource}: ${capacity} in capacity, none allocatable (gone, or the plugin is not running)`,
      );
    } else if (used > allocatable) {
      troubles.push(`${resource}: pods have ${used}, and the node offers ${allocatable}`);
    }
  }
  return troubles;
}
