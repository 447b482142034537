/** One GKE node pool of a plan, and the request that makes it. */
import { createPool } from '#core/clouds/gke/gcloud';
import { defaultScopes } from '#core/clouds/gke/node-pool';
import type { CloudRequest } from '#core/clouds/request';
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

/** The request that makes it, and gcloud's arguments for the same. */
export function createRequest(pool: NodePool, place: GkePlace): CloudRequest {
  const accelerator = {
    acceleratorCount: `${pool.gpusPerNode}`,
    acceleratorType: pool.accelerator,
    ...(pool.partitionSize !== null && { gpuPartitionSize: pool.partitionSize }),
    ...(pool.sharers > 1 && {
      gpuSharingConfig: { gpuSharingStrategy: 'TIME_SHARING', maxSharedClientsPerGpu: `${pool.sharers}` },
    }),
    gpuDriverInstallationConfig: { gpuDriverVersion: 'LATEST' },
  };
  return createPool(place, {
    name: pool.name,
    initialNodeCount: pool.nodes,
    config: { machineType: pool.machineType, accelerators: [accelerator], oauthScopes: defaultScopes },
    ...(place.nodeZone !== null && { locations: [place.nodeZone] }),
    management: { autoRepair: true, autoUpgrade: true },
    upgradeSettings: { maxSurge: 1 },
  });
}
