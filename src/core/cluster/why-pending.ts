/** Why a pod that wants slices is on no node, in words that name what would help. */
import { asNvidiaSpells, nameParts } from '#core/catalogue/profile-name';
import { bySize, type GpuNode, type Offer } from './gpu-node.js';
import { labels } from './label-names.js';
import type { ClusterPod, Taint, Toleration } from './objects.js';

export interface PendingReason {
  readonly kind:
    /** No node offers the resource. */
    | 'not-offered'
    /** Some do, and all of it is in use. */
    | 'in-use'
    /** More at once than any one node has left. */
    | 'spread'
    /** There is room, where the pod may not go. */
    | 'kept-out'
    /** Room for its GPUs there is: the scheduler says something else. */
    | 'other';
  readonly message: string;
}

/** Of a pod that wants GPUs and has no node. */
export function whyPending(pod: ClusterPod, nodes: readonly GpuNode[]): PendingReason {
  const wants = Object.entries(pod.wants).filter(([, count]) => count > 0);
  for (const [resource, count] of wants) {
    const reason = whyNot(pod, resource, count, nodes);
    if (reason !== null) return reason;
  }
  const message = pod.unschedulable?.message ?? 'the scheduler has not looked at it yet';
  if (pod.claims.length > 0 && noClaim.test(message)) return whyNoDevice(pod, nodes);
  return { kind: 'other', message };
}

/** As the scheduler says it of DRA (Kubernetes 1.34, plugin dynamicresources). */
const noClaim = /cannot allocate all claims/;

/** What a claim asks for only its driver understands; what is free is known. */
function whyNoDevice(pod: ClusterPod, nodes: readonly GpuNode[]): PendingReason {
  const driven = nodes.filter(({ partitioner }) => partitioner === 'dra');
  const all = driven.flatMap(({ offers }) => offers).reduce((sum, { allocatable }) => sum + allocatable, 0);
  const what = pod.claims.length === 1 ? `its claim ${pod.claims[0]}` : `its claims ${pod.claims.join(', ')}`;
  if (all === 0) return { kind: 'not-offered', message: `no node offers GPUs or slices by DRA for ${what}` };
  const open = driven.filter((node) => whyKeptOut(pod, node) === null);
  const free = alternatives('', open);
  const isWhole = open.some(({ offers }) => offers.some((one) => one.profile === null && freeOf(one) > 0));
  if (free === '' && !isWhole)
    return {
      kind: 'in-use',
      message: `all that DRA offers where it may go is in use, and none is left for ${what}`,
    };
  const whole = free === '' ? '; whole GPUs are free' : '';
  return { kind: 'not-offered', message: `nothing that DRA has free serves ${what}${free}${whole}` };
}

function whyNot(
  pod: ClusterPod,
  resource: string,
  count: number,
  nodes: readonly GpuNode[],
): PendingReason | null {
  const offering = nodes.flatMap((node) => {
    const offer = node.offers.find((one) => one.resource === resource && one.allocatable > 0);
    return offer === undefined ? [] : [{ node, offer }];
  });
  if (offering.length === 0) return notOffered(resource, count, nodes);
  const open = offering.filter(({ node }) => whyKeptOut(pod, node) === null);
  if (open.some(({ offer }) => freeOf(offer) >= count)) return null;
  const shut = offering.find(
    ({ node, offer }) => freeOf(offer) >= count && !open.some((one) => one.node === node),
  );
  if (shut !== undefined) {
    const message = `${shut.node.node.name} has ${freeOf(shut.offer)} free ${resource}, and ${whyKeptOut(pod, shut.node)}`;
    return { kind: 'kept-out', message };
  }
  const free = open.reduce((sum, { offer }) => sum + freeOf(offer), 0);
  if (free >= count) {
    const most = Math.max(...open.map(({ offer }) => freeOf(offer)));
    const message = `wants ${count} ${resource} on one node: ${free} are free on ${open.length} nodes, at most ${most} on each`;
    return { kind: 'spread', message };
  }
  const all = offering.reduce((sum, { offer }) => sum + offer.allocatable, 0);
  const used = offering.reduce((sum, { offer }) => sum + offer.used, 0);
  return {
    kind: 'in-use',
    message: `${used} of ${all} ${resource} are in use${alternatives(resource, nodes)}`,
  };
}

function notOffered(resource: string, count: number, nodes: readonly GpuNode[]): PendingReason {
  const isMig = resource.startsWith('nvidia.com/mig-');
  const gke = nodes.filter(({ partitioner }) => partitioner === 'gke');
  if (isMig && gke.length > 0 && gke.length === nodes.length) {
    const size = resource.slice('nvidia.com/mig-'.length);
    const message = `GKE offers slices as nvidia.com/gpu: ask for that, with the node selector ${labels.gkePartition}: ${size}`;
    return { kind: 'not-offered', message };
  }
  const wanted = count === 1 ? resource : `${count} ${resource}`;
  return { kind: 'not-offered', message: `no node offers ${wanted}${alternatives(resource, nodes)}` };
}

/**
 * Free slices that are smaller, and where: `; 3 free 1g.24gb are on 3 nodes`. Two slices are never one larger one, and
 * a card can only be cut anew where its slices are free.
 */
function alternatives(resource: string, nodes: readonly GpuNode[]): string {
  const wanted = nameParts(asNvidiaSpells(resource));
  const free = new Map<string, { readonly count: number; readonly nodes: number }>();
  for (const offer of nodes.flatMap(({ offers }) => offers)) {
    const { profile } = offer;
    const parts = profile === null ? undefined : nameParts(profile);
    if (profile === null || parts === undefined || freeOf(offer) === 0 || offer.resource === resource)
      continue;
    if (wanted !== undefined && parts.memoryGB > wanted.memoryGB) continue;
    const { count, nodes: on } = free.get(profile) ?? { count: 0, nodes: 0 };
    free.set(profile, { count: count + freeOf(offer), nodes: on + 1 });
  }
  const words = [...free]
    .sort(([a], [b]) => bySize(a, b) || (a < b ? -1 : 1))
    .map(
      ([profile, { count, nodes: on }]) => `${count} x ${profile} on ${on} ${on === 1 ? 'node' : 'nodes'}`,
    );
  return words.length === 0 ? '' : `; free are ${words.join(', ')}`;
}

export function freeOf({ allocatable, used }: Offer): number {
  return Math.max(0, allocatable - used);
}

/** `null`: it may go there. */
export function whyKeptOut(pod: ClusterPod, { node }: GpuNode): string | null {
  if (!node.isReady) return 'is not ready';
  if (node.isCordoned) return 'is cordoned';
  const selected = Object.entries(pod.nodeSelector).find(([key, value]) => node.labels[key] !== value);
  if (selected !== undefined) {
    const [key, value] = selected;
    const has = node.labels[key];
    return `the pod selects ${key}=${value}, where it ${has === undefined ? 'has no such label' : `has ${has}`}`;
  }
  const taint = node.taints.find(
    (one) =>
      one.effect !== 'PreferNoSchedule' && !pod.tolerations.some((toleration) => tolerates(toleration, one)),
  );
  return taint === undefined ? null : `the pod does not tolerate its taint ${taintInWords(taint)}`;
}

function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect !== null && effect !== taint.effect) return false;
  if (key === null) return operator === 'Exists';
  return key === taint.key && (operator === 'Exists' || value === taint.value);
}

function taintInWords({ key, value, effect }: Taint): string {
  return value === '' ? `${key}:${effect}` : `${key}=${value}:${effect}`;
}
