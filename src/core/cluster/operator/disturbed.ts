/** Which pods a change of a node's GPUs disturbs. mig-manager clears a GPU before it cuts it, and looks at no pod. */
import type { ClusterPod, DraClaim, DraDevice } from '../objects.js';
import { isLeftAlone } from './operator-pods.js';

/** GPU indexes that a pod holds for as long as it lives, by its uid: a name may come back elsewhere. Absent: it may hold any. */
export type GpuHolders = ReadonlyMap<string, readonly number[]>;

/** What a change reaches. */
export interface Reach {
  /** GPUs that are cut anew; the others keep their slices and their pods. */
  readonly gpus: readonly number[];
  /** MIG is switched on or off somewhere, or what is there now is not known: every GPU of the node. */
  readonly wholeNode: boolean;
  /** The node may be restarted on the way, so that pods without GPUs have to go too. */
  readonly mayReboot: boolean;
}

export function podKey({ namespace, name }: Pick<ClusterPod, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

export function usesGpus({ wants, claims }: ClusterPod): boolean {
  return claims.length > 0 || Object.values(wants).some((count) => count > 0);
}

/** In the order in which they are asked to leave: low priority first. */
export function disturbedPods(
  pods: readonly ClusterPod[],
  reach: Reach,
  holders: GpuHolders,
  operatorNamespace: string,
): readonly ClusterPod[] {
  const isDisturbed = (pod: ClusterPod): boolean =>
    !isLeftAlone(pod, operatorNamespace) && isReached(pod, reach, holders);
  return pods.filter(isDisturbed).sort((a, b) => a.priority - b.priority || (podKey(a) < podKey(b) ? -1 : 1));
}

/** Pods that would be disturbed and that no eviction moves: those of users' DaemonSets come back, the kubelet's own stay. */
export function fixedPods(
  pods: readonly ClusterPod[],
  reach: Reach,
  holders: GpuHolders,
  operatorNamespace: string,
): readonly ClusterPod[] {
  return pods.filter(
    (pod) =>
      (pod.isMirror || pod.controller?.kind === 'DaemonSet') &&
      (pod.phase === 'Running' || pod.phase === 'Pending') &&
      pod.namespace !== operatorNamespace &&
      usesGpus(pod) &&
      isReached(pod, reach, holders),
  );
}

function isReached(pod: ClusterPod, reach: Reach, holders: GpuHolders): boolean {
  if (reach.wholeNode) return reach.mayReboot || usesGpus(pod);
  if (!usesGpus(pod) || reach.gpus.length === 0) return false;
  return holders.get(pod.uid)?.some((index) => reach.gpus.includes(index)) ?? true;
}

/** As DRA's claims say: devices are named `gpu-0` or `gpu-0-mig-…`, after the GPU's minor number. */
export function holdersFromClaims(
  node: string,
  pods: readonly ClusterPod[],
  dra: { readonly devices: readonly DraDevice[]; readonly claims: readonly DraClaim[] },
): GpuHolders {
  const here = new Set(
    dra.devices
      .filter((one) => one.node === node)
      .map(({ driver, pool, device }) => `${driver}/${pool}/${device}`),
  );
  const found = new Map<string, readonly number[]>();
  for (const pod of pods) {
    // What it has from the device plugin, the claims do not know.
    if (pod.claims.length === 0 || Object.keys(pod.wants).length > 0) continue;
    const claims = pod.claims.map((name) =>
      dra.claims.find((claim) => claim.namespace === pod.namespace && claim.name === name),
    );
    const devices = claims.flatMap((claim) => claim?.devices ?? ['?']);
    const indexes = devices.map((device) =>
      here.has(device) ? /\/gpu-(\d+)(-|$)/.exec(device)?.[1] : undefined,
    );
    if (devices.length > 0 && indexes.every((index) => index !== undefined)) {
      found.set(pod.uid, [...new Set(indexes.map(Number))]);
    }
  }
  return found;
}

/** A device that dcgm-exporter said a pod has. */
export interface HolderRow {
  readonly namespace: string;
  readonly pod: string;
  readonly host: string | null;
  readonly gpuIndex: number;
  /** Tells slices of one GPU apart; empty: the whole GPU. */
  readonly slice: string;
}

/** Prometheus shows a row for five minutes after its last sample: until then it may be of an earlier pod of that name. */
const rowsAreOldMs = 360_000;

/** As dcgm-exporter's labels say. Who is young, or asks for more devices than it has rows, is left out: not known. */
export function holdersFromRows(
  pods: readonly ClusterPod[],
  rows: readonly HolderRow[],
  nowMs: number,
): GpuHolders {
  const byPod = new Map<string, HolderRow[]>();
  for (const row of rows) {
    const key = podKey({ namespace: row.namespace, name: row.pod });
    byPod.set(key, [...(byPod.get(key) ?? []), row]);
  }
  const nodes = new Set(pods.map(({ node }) => node));
  const found = new Map<string, readonly number[]>();
  for (const pod of pods) {
    // A host that is no node of this cluster may be what the exporter's own pod is called.
    const own = (byPod.get(podKey(pod)) ?? []).filter(({ host }) => host === pod.node || !nodes.has(host));
    const devices = new Set(own.map(({ gpuIndex, slice }) => `${gpuIndex}/${slice}`));
    const wanted = Object.values(pod.wants).reduce((sum, count) => sum + count, 0);
    const isOld = nowMs - pod.createdMs >= rowsAreOldMs;
    if (isOld && pod.claims.length === 0 && wanted > 0 && devices.size >= wanted) {
      found.set(pod.uid, [...new Set(own.map(({ gpuIndex }) => gpuIndex))]);
    }
  }
  return found;
}
