/** Which pods of a pool's nodes must go before the nodes can, and whether they can: the reason where not. */
import { resourceOf } from '#core/clouds/slices-ready';
import type { ClusterNode, ClusterPod, ClusterState } from '#core/cluster/objects';
import type { PoolDraft, PoolScaling, PoolView } from '#ports/node-pools';
import { mayRunOn } from './places.js';
import type { PoolChangeOptions, PoolProblem } from './ports.js';

export function nodesOf(
  { nodes }: ClusterState,
  { key, value }: PoolView['nodeLabel'],
): readonly ClusterNode[] {
  return nodes.filter((node) => node.labels[key] === value);
}

/** Pods of DaemonSets and of the kubelet itself stay with their node. */
export function movable({ phase, isMirror, controller }: ClusterPod): boolean {
  return !isMirror && controller?.kind !== 'DaemonSet' && phase !== 'Succeeded' && phase !== 'Failed';
}

function mustMove({ pods }: ClusterState, nodes: readonly ClusterNode[]): readonly ClusterPod[] {
  const names = new Set(nodes.map(({ name }) => name));
  return pods.filter((pod) => pod.node !== null && names.has(pod.node) && movable(pod));
}

export function nobodyMakesAgain(pods: readonly ClusterPod[]): PoolProblem | null {
  const bare = pods.filter(({ controller }) => controller === null);
  if (bare.length === 0) return null;
  const message = `nobody would make these pods again: ${namesOf(bare)}`;
  return { message, next: 'Delete them yourself, or allow it with --evict-bare.' };
}

/** An eviction ends what a pod keeps on its node's disk. */
export function losingNotes(pods: readonly ClusterPod[]): readonly string[] {
  const losing = pods.filter(({ hasEmptyDir }) => hasEmptyDir);
  return losing.length === 0 ? [] : [`what these pods keep in emptyDir volumes is lost: ${namesOf(losing)}`];
}

export function notesOnPods(state: ClusterState, { nodeLabel }: PoolView): readonly string[] {
  return losingNotes(mustMove(state, nodesOf(state, nodeLabel)));
}

/** `null`: nothing stands in the way. */
export function standsInTheWay(
  state: ClusterState,
  old: PoolView,
  draft: PoolDraft,
  options: PoolChangeOptions,
): PoolProblem | null {
  const nodes = nodesOf(state, old.nodeLabel);
  const pods = mustMove(state, nodes);
  const bare = options.evictBare === true ? null : nobodyMakesAgain(pods);
  if (bare !== null) return bare;
  if (options.leavePending === true) return null;
  const stuck = pods.filter((pod) => !findsPlace(pod, state, nodes, draft));
  if (stuck.length > 0) {
    const message = `these pods would find no node afterwards: ${namesOf(stuck)}`;
    const next = `Change what they select or ask for first (new nodes: ${shownLabels(draft)}), or allow it with --leave-pending.`;
    return { message, next };
  }
  return tooFew(pods, old.scaling, old.zones.length, draft);
}

function findsPlace(
  pod: ClusterPod,
  { nodes }: ClusterState,
  leaving: readonly ClusterNode[],
  draft: PoolDraft,
): boolean {
  const home = leaving.find(({ name }) => name === pod.node);
  if (selects(pod, labelsToCome(home, draft)) && draft.slices.length > 0 && asksFor(pod, draft)) return true;
  return nodes.some(
    (node) =>
      !leaving.includes(node) &&
      !node.isCordoned &&
      node.isReady &&
      mayRunOn(pod, node) &&
      Object.entries(pod.wants).every(([resource, count]) => (node.allocatable[resource] ?? 0) >= count),
  );
}

/** Zone, machine type and the like stay; what a cloud or the GPU software says of pool and cut does not. */
function labelsToCome(home: ClusterNode | undefined, draft: PoolDraft): Readonly<Record<string, string>> {
  const kept = Object.entries(home?.labels ?? {}).filter(
    ([key]) =>
      !/^(cloud\.google\.com\/gke-|eks\.amazonaws\.com\/|nvidia\.com\/|kubernetes\.io\/hostname)/.test(key),
  );
  return { ...Object.fromEntries(kept), ...draft.labels };
}

function selects({ nodeSelector }: ClusterPod, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(nodeSelector).every(([key, value]) => labels[key] === value);
}

/** Whether a pool named this way has the resource that the pod asks for, and so many of it on a node. */
function asksFor({ wants }: ClusterPod, { slices }: PoolDraft): boolean {
  return Object.entries(wants).every(([resource, count]) => {
    const plain = resource.replace(/\.shared$/, '');
    if (plain === 'nvidia.com/gpu') return slices.some(({ perNode }) => perNode >= count);
    return slices.some(
      ({ profile, perNode }) => profile !== null && resourceOf(profile) === plain && perNode >= count,
    );
  });
}

function tooFew(
  pods: readonly ClusterPod[],
  scaling: PoolScaling | null,
  zones: number,
  draft: PoolDraft,
): PoolProblem | null {
  const asked = pods.reduce(
    (sum, { wants }) => sum + Object.values(wants).reduce((all, one) => all + one, 0),
    0,
  );
  const perNode = draft.slices.reduce((sum, one) => sum + one.perNode, 0);
  const nodes = Math.max(draft.nodes, (scaling?.maxNodes ?? 0) * Math.max(zones, 1));
  if (asked <= nodes * perNode) return null;
  const message = `the pods of the old pool use ${asked} GPUs or slices, and ${nodes} new nodes have ${nodes * perNode}`;
  const next = `Ask for ${Math.ceil(asked / perNode)} nodes with --nodes, or allow it with --leave-pending.`;
  return { message, next };
}

function shownLabels({ labels }: PoolDraft): string {
  return Object.entries(labels)
    .filter(([key]) => /partition-size|nodegroup$|gke-nodepool$/.test(key))
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}

export function namesOf(pods: readonly ClusterPod[]): string {
  const names = pods.slice(0, 5).map(({ namespace, name }) => `${namespace}/${name}`);
  return pods.length > 5 ? `${names.join(', ')} and ${pods.length - 5} more` : names.join(', ');
}
