/** Nodes that are alike to every pod that wants GPUs: same card, same way of cutting, same labels that matter, same taints. */
import { findMachineType, isFractional } from '#core/catalogue/machine-types';
import { partitionSizesOf } from '#core/catalogue/gke-partition-sizes';
import type { MigModel } from '#core/catalogue/model';
import { gpuNodeOf, type GpuNode } from '../gpu-node.js';
import { groupedBy } from '../grouped-by.js';
import { labels } from '../label-names.js';
import type { ClusterNode, ClusterPod, ClusterState, DraDevice } from '../objects.js';
import { usesGpus } from '../operator/disturbed.js';
import { askOf, gpuResource, namesOfOne, pinningLabel, productUncut, whyItStays } from './pod-asks.js';

/** How a node of the site can be cut: any way each GPU, or one size for all of them, in place or by a new node. */
export type Style = 'mixed' | 'single' | 'gke';

/** One node: what is free on it, who is on it, and what keeps it from being cut anew. */
export interface NodeUnit {
  readonly seen: GpuNode;
  /** Pods with GPUs that have not ended. */
  readonly pods: readonly ClusterPod[];
  /** Free now by `profile`, whole GPUs as `whole`. */
  readonly free: ReadonlyMap<string, number>;
  /** `null`: it may be cut anew, once its pods are elsewhere. */
  readonly frozen: string | null;
  /** Takes new pods. */
  readonly isOpen: boolean;
}

export interface Site {
  readonly key: string;
  /** Stands for all of them. */
  readonly like: GpuNode;
  /** Nodes of sites in which it is equal are alike to every pod, whatever pool they are of. */
  readonly alike: string;
  /** `null`: only what is there is used. */
  readonly style: Style | null;
  readonly units: readonly NodeUnit[];
  readonly group: string;
  /** It is cut into nothing else (`whole`: not at all); `null`: into whatever serves. */
  readonly allowed: ReadonlySet<string> | null;
  /** Machines that may be rented. */
  readonly rent: RentedSite | null;
}

export interface RentedSite {
  readonly machineType: string;
  readonly max: number;
  readonly usdPerHour: number | null;
}

export const whole = 'whole';

export function slotOf(profile: string | null): string {
  return profile ?? whole;
}

/** What somebody allows to be done with a node, beside what can be done. */
export interface NodeRules {
  /** Nodes of two groups are never alike. */
  readonly group: string;
  /** Why it is not cut anew; `null`: it may be. */
  readonly frozen: string | null;
  readonly allowed: ReadonlySet<string> | null;
  /** It may be cut anew also where pods have its GPUs. */
  readonly mayMovePods: boolean;
}

export const notAsked = 'it is not asked for';

export interface SiteOptions {
  readonly target?: 'gke' | 'gpu-operator' | undefined;
  /** Others take no part. */
  readonly pools?: readonly string[] | undefined;
  readonly rulesOf?: ((node: ClusterNode) => NodeRules) | undefined;
}

const anything: NodeRules = { group: '', frozen: null, allowed: null, mayMovePods: true };

export function sitesOf(state: ClusterState, options: SiteOptions): readonly Site[] {
  const podsOn = groupedBy(state.pods.filter(hasNotEnded), ({ node }) => node);
  const devicesOn = groupedBy(state.dra?.devices ?? [], ({ node }: DraDevice) => node);
  const seen = [...state.nodes]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((node) => gpuNodeOf(node, podsOn.get(node.name) ?? [], devicesOn.get(node.name) ?? []) ?? []);
  const changing = changingNamesOf(seen);
  const styled = seen.map((one) => ({ seen: one, style: styleOf(one, options.target) }));
  const sizes = sizesOfOneName(styled, state.pods);
  const matters = selectedPairs(state.pods);
  const rulesOf = options.rulesOf ?? (() => anything);
  type Open = Pick<Site, 'like' | 'alike' | 'style' | 'group' | 'allowed'> & { readonly units: NodeUnit[] };
  const sites = new Map<string, Open>();
  for (const { seen: one, style } of styled) {
    const pods = (podsOn.get(one.node.name) ?? []).filter(usesGpus).sort(byName);
    const rules = rulesOf(one.node);
    const { allowed, group } = rules;
    const alike = alikeKey(one, style, matters);
    const key = siteKey(one, alike, matters, rules);
    const site = sites.get(key) ?? { like: uncut(one), alike, style, group, allowed, units: [] };
    sites.set(key, site);
    const unit = unitOf(one, pods, style, { changing, sizes }, options.pools);
    const isKept = !rules.mayMovePods && pods.length > 0;
    const kept = isKept ? 'pods have its GPUs, and its policy lets nobody be evicted' : null;
    site.units.push({ ...unit, frozen: rules.frozen ?? unit.frozen ?? kept });
  }
  return [...sites].map(([key, site]) => ({ key, ...site, rent: null }));
}

/** A node of GKE is made anew to be cut anew, so that its name and its pool's change. */
export function changingNamesOf(seen: readonly GpuNode[]): ReadonlySet<string> {
  return new Set(
    seen.flatMap(({ partitioner, pool, node }) =>
      partitioner === 'gke' ? [pool ?? node.name, node.labels[labels.hostname] ?? node.name] : [],
    ),
  );
}

function hasNotEnded({ phase }: ClusterPod): boolean {
  return phase !== 'Succeeded' && phase !== 'Failed';
}

export function byName(a: ClusterPod, b: ClusterPod): number {
  const keyOf = ({ namespace, name, uid }: ClusterPod): string => `${namespace}/${name}/${uid}`;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

/** Labels and their values that some pod selects nodes by: others make no difference. */
type Selected = ReadonlyMap<string, ReadonlySet<string>>;

function selectedPairs(pods: readonly ClusterPod[]): Selected {
  const pairs = new Map<string, Set<string>>();
  const seen = new Set<unknown>();
  for (const { nodeSelector } of pods) {
    if (seen.has(nodeSelector)) continue;
    seen.add(nodeSelector);
    for (const [key, value] of Object.entries(nodeSelector)) {
      const values = pairs.get(key) ?? new Set();
      pairs.set(key, values.add(key === labels.product ? productUncut(value) : value));
    }
  }
  return new Map([...pairs].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function alikeKey(seen: GpuNode, style: Style | null, matters: Selected): string {
  const { node, model, product, gpus, machineType, partitioner } = seen;
  const own: (readonly [string, string])[] = [];
  for (const [key, values] of matters) {
    const said = key === labels.gkePartition ? undefined : node.labels[key];
    const value = key === labels.product && said !== undefined ? productUncut(said) : said;
    if (value !== undefined && values.has(value) && !namesOfOne.includes(key)) own.push([key, value]);
  }
  const taints = node.taints.map(({ key, value, effect }) => `${key}=${value}:${effect}`).sort();
  return JSON.stringify([model?.key ?? product, gpus, style, partitioner, machineType, own, taints]);
}

function siteKey(
  { node, pool }: GpuNode,
  alike: string,
  matters: Selected,
  { group, allowed }: NodeRules,
): string {
  const own = namesOfOne.map((key) => {
    const value = node.labels[key];
    return value !== undefined && matters.get(key)?.has(value) === true ? value : null;
  });
  const limits = allowed === null ? null : [...allowed].sort();
  return JSON.stringify([alike, pool, own, group, limits]);
}

/** What cutting changes is no part of what a node is. */
function uncut(seen: GpuNode): GpuNode {
  const kept = Object.fromEntries(
    Object.entries(seen.node.labels)
      .filter(([key]) => key !== labels.gkePartition)
      .map(([key, value]) => [key, key === labels.product ? productUncut(value) : value]),
  );
  return { ...seen, node: { ...seen.node, labels: kept, isReady: true, isCordoned: false } };
}

function styleOf(seen: GpuNode, target: SiteOptions['target']): Style | null {
  const { partitioner, strategy, model, gpus } = seen;
  if (model?.kind !== 'mig' || gpus === null || (target !== undefined && target !== partitioner)) return null;
  if (partitioner === 'gke') return acceleratorOf(seen) === null ? null : 'gke';
  return partitioner === 'gpu-operator' && (strategy === 'mixed' || strategy === 'single') ? strategy : null;
}

/** `null`: no machine type of GKE whose cards it cuts. */
export function acceleratorOf({ machineType }: Pick<GpuNode, 'machineType'>): string | null {
  const known = machineType === null ? undefined : findMachineType(machineType);
  if (known?.accelerator == null || isFractional(known)) return null;
  return Object.keys(partitionSizesOf(known.accelerator)).length === 0 ? null : known.accelerator;
}

/** What of other nodes and pods says whether a node may be cut anew. */
interface Surroundings {
  readonly changing: ReadonlySet<string>;
  readonly sizes: ReadonlySet<string>;
}

const vague = `it asks for ${gpuResource} without saying the size: made again, it may take the slice of another`;

/** What there is, and what there would be for pods that ask for it, under the one name `nvidia.com/gpu`. */
export function sizesOfOneName(
  nodes: readonly { readonly seen: GpuNode; readonly style: Style | null }[],
  pods: readonly ClusterPod[],
): ReadonlySet<string> {
  const sizes = new Set<string>();
  for (const { seen, style } of nodes) {
    if (style === 'mixed') sizes.add(whole);
    for (const { resource, profile, allocatable } of seen.offers)
      if (resource === gpuResource && allocatable > 0) sizes.add(slotOf(profile));
  }
  for (const pod of pods.filter(hasNotEnded)) {
    const answer = askOf(pod);
    if (answer.ok && answer.ask.resource === gpuResource && !answer.ask.isAnySize)
      sizes.add(slotOf(answer.ask.profile));
  }
  return sizes;
}

function unitOf(
  seen: GpuNode,
  pods: readonly ClusterPod[],
  style: Style | null,
  around: Surroundings,
  pools: SiteOptions['pools'],
): NodeUnit {
  const isChosen = pools === undefined || (seen.pool !== null && pools.includes(seen.pool));
  const isOpen = isChosen && seen.node.isReady && !seen.node.isCordoned;
  const free = new Map<string, number>();
  for (const { profile, allocatable, used } of isOpen ? seen.offers : []) {
    const left = allocatable - used;
    if (left > 0) free.set(slotOf(profile), (free.get(slotOf(profile)) ?? 0) + left);
  }
  const frozen = isChosen ? whyFrozen(seen, pods, style, around) : notAsked;
  return { seen, pods, free, frozen, isOpen };
}

function whyFrozen(
  seen: GpuNode,
  pods: readonly ClusterPod[],
  style: Style | null,
  { changing, sizes }: Surroundings,
): string | null {
  const { node, migConfig, offers } = seen;
  if (style === null) return whyNeverCut(seen);
  if (!node.isReady) return 'it is not ready';
  if (node.isCordoned) return 'it is cordoned';
  if (migConfig?.state != null && migConfig.state !== 'success')
    return `mig-manager says ${migConfig.state} of ${migConfig.name}`;
  if (offers.some(({ clients }) => clients > 1)) return 'its slices are shared by turns';
  if (offers.some(({ capacity, allocatable, used }) => used > allocatable && capacity > 0))
    return 'pods have more of it than it offers';
  for (const pod of pods) {
    const stays = pod.isDeleting
      ? 'it is being deleted, and has its slice until it is gone'
      : whyItStays(pod);
    const pin = pinningLabel(pod, changing);
    const ask = askOf(pod);
    const isVague = ask.ok && ask.ask.isAnySize && sizes.size > 1;
    const why =
      stays ??
      (pin !== null ? `it selects nodes by ${pin}` : ask.ok ? null : ask.why) ??
      (isVague ? vague : null);
    if (why !== null) return `${pod.namespace}/${pod.name} stays: ${why}`;
  }
  return null;
}

function whyNeverCut({ partitioner, model, product, gpus, strategy, machineType }: GpuNode): string {
  if (model === null) return `Mica does not know the card ${product ?? ''}`.trim();
  if (model.kind !== 'mig') return `a ${model.name} has no slices`;
  if (gpus === null) return 'how many GPUs it has is not known';
  switch (partitioner) {
    case 'dra':
      return 'the DRA driver has its GPUs';
    case 'device-plugin':
      return 'nothing on it cuts GPUs: no mig-manager, and not GKE';
    case 'gke':
      return `GKE has no slice sizes for ${machineType ?? 'its machine type'}, or it is not the target`;
    case 'gpu-operator':
      return strategy === 'none' || strategy === null
        ? `its MIG strategy is ${strategy ?? 'not said'}: slices would not be offered`
        : 'it is not the target';
  }
}

/** The card of a site that can be cut. */
export function cardOf({ like }: Site): MigModel {
  if (like.model?.kind !== 'mig') throw new RangeError(`${like.product ?? 'a card'} cannot be cut`);
  return like.model;
}
