/** What a cluster has of GPUs, as `mica cluster show` tells it: nodes with their slices, what is free, what waits. */
import { bySize, gpuNodeOf, type GpuNode, type Offer } from '#core/cluster/gpu-node';
import { groupedBy } from '#core/cluster/grouped-by';
import type { ClusterPod, ClusterState, DraDevice } from '#core/cluster/objects';
import { freeOf, whyPending, type PendingReason } from '#core/cluster/why-pending';
import { asNvidiaSpells } from '#core/catalogue/profile-name';

/** Who has slices of one offer: one entry for each that is in use. */
export interface SeenOffer extends Offer {
  readonly users: readonly string[];
}

export interface SeenNode extends Omit<GpuNode, 'offers'> {
  readonly offers: readonly SeenOffer[];
}

export interface FreeSlices {
  /** `null`: whole GPUs. */
  readonly profile: string | null;
  readonly card: string;
  readonly used: number;
  readonly free: number;
  readonly freeNodes: number;
  /** Free as well, on nodes that take no pods now. */
  readonly shut: number;
}

export interface WaitingPod {
  readonly pod: ClusterPod;
  readonly why: PendingReason;
}

export interface SeenCluster {
  readonly nodes: readonly SeenNode[];
  readonly free: readonly FreeSlices[];
  readonly waiting: readonly WaitingPod[];
  /** All that there are, whichever are shown. */
  readonly pools: readonly string[];
}

export function seeCluster(state: ClusterState, pool?: string): SeenCluster {
  const podsOn = groupedBy(state.pods, ({ node }) => node);
  const devicesOn = groupedBy(state.dra?.devices ?? [], ({ node }) => node);
  const all = state.nodes.flatMap((node) => {
    const pods = podsOn.get(node.name) ?? [];
    const devices = devicesOn.get(node.name) ?? [];
    const seen = gpuNodeOf(node, pods, devices);
    return seen === null ? [] : [{ seen, pods, devices }];
  });
  const claimants = claimantsOf(state);
  const nodes = all
    .filter(({ seen }) => pool === undefined || seen.pool === pool)
    .map(({ seen, pods, devices }): SeenNode => ({
      ...seen,
      offers: seen.offers.map((offer) => ({
        ...offer,
        users: usersOf(offer, pods, seen.partitioner === 'dra' ? devices : [], claimants),
      })),
    }))
    .sort((a, b) => compare(a.pool ?? '', b.pool ?? '') || compare(a.node.name, b.node.name));
  const gpuNodes = all.map(({ seen }) => seen).sort((a, b) => compare(a.node.name, b.node.name));
  const waiting = state.pods
    .filter((pod) => pod.node === null && pod.phase === 'Pending' && !pod.isDeleting)
    .filter((pod) => Object.keys(pod.wants).length > 0 || pod.claims.length > 0)
    .sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name))
    .map((pod) => ({ pod, why: whyPending(pod, gpuNodes) }));
  const pools = [...new Set(gpuNodes.flatMap((node) => node.pool ?? []))].sort();
  return { nodes, free: freeSlicesOf(nodes), waiting, pools };
}

function isShut({ node }: SeenNode): boolean {
  return node.isCordoned || !node.isReady;
}

/** Device -> the pods that its claim is reserved for, or the claim. */
function claimantsOf({ dra }: ClusterState): ReadonlyMap<string, string> {
  return new Map(
    (dra?.claims ?? []).flatMap(({ name, devices, reservedFor }) =>
      devices.map((device) => [device, reservedFor.length === 0 ? name : reservedFor.join(' ')] as const),
    ),
  );
}

/** No node has so many; a pod that was bound to one by hand may ask for any number. */
const mostOfOnePod = 10_000;

function usersOf(
  offer: Offer,
  pods: readonly ClusterPod[],
  devices: readonly DraDevice[],
  claimants: ReadonlyMap<string, string>,
): readonly string[] {
  const ofClaims = devices.flatMap(({ driver, pool, device, taken, attributes }) => {
    const profile = attributes['type'] === 'mig' ? asNvidiaSpells(String(attributes['profile'] ?? '')) : null;
    const isOne = taken && profile === offer.profile && !offer.resource.startsWith('nvidia.com/');
    return isOne ? [claimants.get(`${driver}/${pool}/${device}`) ?? 'taken'] : [];
  });
  const ofPods = pods
    .filter(({ phase }) => phase !== 'Succeeded' && phase !== 'Failed')
    .flatMap(({ name, wants }) =>
      Array.from({ length: Math.min(wants[offer.resource] ?? 0, mostOfOnePod) }, () => name),
    );
  return [...ofClaims, ...ofPods];
}

function freeSlicesOf(nodes: readonly SeenNode[]): readonly FreeSlices[] {
  const found = new Map<string, FreeSlices>();
  for (const node of nodes) {
    for (const offer of node.offers) {
      const { profile, used } = offer;
      const card = node.model?.key ?? node.product ?? '';
      const key = `${card} ${profile ?? ''}`;
      const before = found.get(key) ?? { profile, card, used: 0, free: 0, freeNodes: 0, shut: 0 };
      const free = freeOf(offer);
      const open = isShut(node) ? 0 : free;
      found.set(key, {
        ...before,
        used: before.used + used,
        free: before.free + open,
        freeNodes: before.freeNodes + (open > 0 ? 1 : 0),
        shut: before.shut + free - open,
      });
    }
  }
  return [...found.values()].sort((a, b) => compare(a.card, b.card) || bySize(a.profile, b.profile));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
