/** A node pool like another one, but cut otherwise: what is copied, what is set anew, and what is left to the server. */
import { dottedSize } from './sizes.js';
import type { GkeAccelerator, GkeNodePool } from './node-pool.js';

export interface Recut {
  readonly name: string;
  /** As the API shall spell it; `null`: whole GPUs. */
  readonly partitionSize: string | null;
  /** Pods per slice; 1: each its own. */
  readonly sharers: number;
  /** Per zone. */
  readonly nodesPerZone: number;
  /** Labels for the new nodes, beside those that the old ones have. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What the server says and nobody sets. */
const saidByServer: ReadonlySet<string> = new Set([
  ...['status', 'statusMessage', 'selfLink', 'instanceGroupUrls', 'conditions', 'etag', 'podIpv4CidrSize'],
  ...['updateInfo', 'initialNodeCount', 'version', 'name', 'config'],
]);

export function recutPool(
  old: GkeNodePool,
  { name, partitionSize, sharers, nodesPerZone, labels }: Recut,
): GkeNodePool {
  const kept = Object.fromEntries(Object.entries(old).filter(([field]) => !saidByServer.has(field)));
  const config = { ...old.config };
  delete config['effectiveCgroupMode'];
  const all = { ...config.labels, ...labels };
  const accelerators = (config.accelerators ?? []).map((one) =>
    recutAccelerator(one, partitionSize, sharers),
  );
  return {
    name,
    initialNodeCount: nodesPerZone,
    config: { ...config, accelerators, ...(Object.keys(all).length > 0 && { labels: all }) },
    ...kept,
    // Where the pool follows the control plane by itself, so does the new one; a version that is held is kept.
    ...(old.management?.autoUpgrade !== true && old.version !== undefined && { version: old.version }),
  };
}

function recutAccelerator(
  { gpuPartitionSize: _size, gpuSharingConfig: _sharing, ...kept }: GkeAccelerator,
  partitionSize: string | null,
  sharers: number,
): GkeAccelerator {
  return {
    ...kept,
    ...(partitionSize !== null && { gpuPartitionSize: partitionSize }),
    ...(sharers > 1 && {
      gpuSharingConfig: { gpuSharingStrategy: 'TIME_SHARING', maxSharedClientsPerGpu: `${sharers}` },
    }),
  };
}

/** The labels by which GKE's nodes of such a pool will be found. */
export function labelsOfNodes(pool: GkeNodePool): Readonly<Record<string, string>> {
  const [one] = pool.config.accelerators ?? [];
  const strategy = one?.gpuSharingConfig?.gpuSharingStrategy;
  const key = 'cloud.google.com/gke-';
  return {
    ...pool.config.labels,
    [`${key}nodepool`]: pool.name,
    ...(one?.acceleratorType !== undefined && { [`${key}accelerator`]: one.acceleratorType }),
    ...(one?.gpuPartitionSize !== undefined && {
      [`${key}gpu-partition-size`]: dottedSize(one.gpuPartitionSize),
    }),
    ...(strategy !== undefined && {
      [`${key}gpu-sharing-strategy`]: strategy.toLowerCase().replace('_', '-'),
      [`${key}max-shared-clients-per-gpu`]: one?.gpuSharingConfig?.maxSharedClientsPerGpu ?? '',
    }),
  };
}
