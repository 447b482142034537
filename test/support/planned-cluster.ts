/** Nodes with RTX PRO 6000s and pods on them, for plans of clusters: each pod by default of a Deployment of its own name. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';
import { aNode, aPod } from './cluster-objects.js';

export const card = rtx();

function rtx() {
  const model = modelByKey('rtx-pro-6000-blackwell-server');
  if (model?.kind !== 'mig') throw new Error('the catalogue has no RTX PRO 6000');
  return model;
}

export interface NodeSaid extends Partial<ClusterNode> {
  readonly gpus?: number;
  readonly gke?: { readonly size: string | null; readonly pool: string };
}

/** `slices`: by profile, whole GPUs as `whole`. */
export function gpuNode(
  name: string,
  slices: Readonly<Record<string, number>>,
  { gpus = 1, gke, labels, ...said }: NodeSaid = {},
): ClusterNode {
  const capacity: Record<string, number> = {};
  for (const [slot, count] of Object.entries(slices)) {
    const resource = gke !== undefined || slot === 'whole' ? 'nvidia.com/gpu' : `nvidia.com/mig-${slot}`;
    capacity[resource] = count;
  }
  const own = gke === undefined ? operatorLabels(gpus) : gkeLabels(gke);
  return aNode({ name, labels: { ...own, ...labels }, capacity, ...said });
}

function operatorLabels(gpus: number): Record<string, string> {
  return {
    'nvidia.com/gpu.present': 'true',
    'nvidia.com/gpu.product': 'NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition',
    'nvidia.com/gpu.count': String(gpus),
    'nvidia.com/gpu.deploy.mig-manager': 'true',
    'nvidia.com/mig.strategy': 'mixed',
    'nvidia.com/mig.config': 'some',
    'nvidia.com/mig.config.state': 'success',
  };
}

function gkeLabels({
  size,
  pool,
}: {
  readonly size: string | null;
  readonly pool: string;
}): Record<string, string> {
  return {
    'cloud.google.com/gke-nodepool': pool,
    'cloud.google.com/gke-accelerator': 'nvidia-rtx-pro-6000',
    'node.kubernetes.io/instance-type': 'g4-standard-48',
    ...(size === null ? {} : { 'cloud.google.com/gke-gpu-partition-size': size }),
  };
}

function wantsOf(profile: string | null, count: number): ClusterPod['wants'] {
  return { [profile === null ? 'nvidia.com/gpu' : `nvidia.com/mig-${profile}`]: count };
}

function ofDeployment(name: string): NonNullable<ClusterPod['controller']> {
  return { kind: 'ReplicaSet', name: `${name}-7c9f8d5b6b`, uid: `uid-${name}` };
}

/** `replica`: makes the pod's name another one than its Deployment's. */
export function running(
  deployment: string,
  node: string,
  profile: string | null,
  replica?: number,
): ClusterPod {
  const name = replica === undefined ? deployment : `${deployment}-7c9f8d5b6b-${replica}`;
  return aPod({ name, node, wants: wantsOf(profile, 1), controller: ofDeployment(deployment) });
}

export function pending(name: string, profile: string | null, count = 1): ClusterPod {
  return aPod({ name, wants: wantsOf(profile, count), controller: ofDeployment(name) });
}
