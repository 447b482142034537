/** One GKE node pool: gcloud's arguments and the REST body that gcloud would send for them. */
import type { GkeOptions } from './options.js';

export interface NodePool {
  readonly name: string;
  readonly machineType: string;
  readonly accelerator: string;
  readonly gpusPerNode: number;
  /** As the API spells it; `null`: whole GPUs. */
  readonly partitionSize: string | null;
  /** Pods per slice; 1: each its own. */
  readonly sharers: number;
  readonly nodes: number;
}

/** Where the pool goes. `placeholders`: which of it the user has not said. */
export interface GkePlace {
  readonly project: string;
  readonly cluster: string;
  readonly location: string;
  readonly nodeZone: string | null;
  readonly placeholders: readonly string[];
}

/** The access scopes that gcloud gives to a node pool when the user names none (observed, gcloud 528). */
const defaultScopes = [
  'devstorage.read_only',
  'logging.write',
  'monitoring',
  'service.management.readonly',
  'servicecontrol',
  'trace.append',
].map((scope) => `https://www.googleapis.com/auth/${scope}`);

export function gkePlace({ project, cluster, location, nodeZone }: GkeOptions = {}): GkePlace {
  const placeholders = Object.entries({ project, cluster, location })
    .filter(([, value]) => value === undefined)
    .map(([name]) => name);
  return {
    project: project ?? 'my-project',
    cluster: cluster ?? 'my-cluster',
    location: location ?? 'us-central1-b',
    nodeZone: nodeZone ?? null,
    placeholders,
  };
}

/** True for `us-central1`, false for `us-central1-b`. */
export function isRegion(location: string): boolean {
  return !/-[a-z]$/.test(location);
}

/** The command as an argument array: no shell reads it, so nothing in it needs quoting. */
export function gcloudArguments(pool: NodePool, place: GkePlace): readonly string[] {
  const accelerator = [
    `type=${pool.accelerator}`,
    `count=${pool.gpusPerNode}`,
    ...(pool.partitionSize === null ? [] : [`gpu-partition-size=${pool.partitionSize}`]),
    ...(pool.sharers > 1
      ? ['gpu-sharing-strategy=time-sharing', `max-shared-clients-per-gpu=${pool.sharers}`]
      : []),
    'gpu-driver-version=latest',
  ];
  return [
    'gcloud',
    'container',
    'node-pools',
    'create',
    pool.name,
    `--project=${place.project}`,
    `--cluster=${place.cluster}`,
    `--location=${place.location}`,
    ...(place.nodeZone === null ? [] : [`--node-locations=${place.nodeZone}`]),
    `--machine-type=${pool.machineType}`,
    `--accelerator=${accelerator.join(',')}`,
    `--num-nodes=${pool.nodes}`,
  ];
}

/** The same as `POST v1/{parent}/nodePools`. Whole numbers of 64 bits are strings in the API's JSON. */
export function restRequest(
  pool: NodePool,
  place: GkePlace,
): { readonly method: 'POST'; readonly path: string; readonly body: object } {
  const parent = `projects/${place.project}/locations/${place.location}/clusters/${place.cluster}`;
  const accelerator = {
    acceleratorCount: `${pool.gpusPerNode}`,
    acceleratorType: pool.accelerator,
    ...(pool.partitionSize !== null && { gpuPartitionSize: pool.partitionSize }),
    ...(pool.sharers > 1 && {
      gpuSharingConfig: { gpuSharingStrategy: 'TIME_SHARING', maxSharedClientsPerGpu: `${pool.sharers}` },
    }),
    gpuDriverInstallationConfig: { gpuDriverVersion: 'LATEST' },
  };
  const nodePool = {
    name: pool.name,
    initialNodeCount: pool.nodes,
    config: { machineType: pool.machineType, accelerators: [accelerator], oauthScopes: defaultScopes },
    ...(place.nodeZone !== null && { locations: [place.nodeZone] }),
    management: { autoRepair: true, autoUpgrade: true },
    upgradeSettings: { maxSurge: 1 },
  };
  return { method: 'POST', path: `v1/${parent}/nodePools`, body: { parent, nodePool } };
}
