/** A node pool as the Container API tells it, read into the port's words. */
import { z } from 'zod';
import { partitionSizesOf } from '#core/catalogue/gke-partition-sizes';
import { asNvidiaSpells } from '#core/catalogue/profile-name';
import type { GkeNodePool } from '#core/clouds/gke/node-pool';
import { labelsOfNodes } from '#core/clouds/gke/replace-pool';
import type { PoolScaling, PoolSlices, PoolView } from '#ports/node-pools';

const accelerator = z.looseObject({
  acceleratorCount: z.string().optional(),
  acceleratorType: z.string().optional(),
  gpuPartitionSize: z.string().optional(),
  gpuSharingConfig: z
    .looseObject({ gpuSharingStrategy: z.string().optional(), maxSharedClientsPerGpu: z.string().optional() })
    .optional(),
});

const nodePool = z.looseObject({
  name: z.string(),
  status: z.string().optional(),
  statusMessage: z.string().optional(),
  conditions: z
    .array(z.looseObject({ code: z.string().optional(), message: z.string().optional() }))
    .optional(),
  initialNodeCount: z.int().optional(),
  locations: z.array(z.string()).optional(),
  config: z.looseObject({
    machineType: z.string().optional(),
    accelerators: z.array(accelerator).optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
  autoscaling: z
    .looseObject({
      enabled: z.boolean().optional(),
      minNodeCount: z.int().optional(),
      maxNodeCount: z.int().optional(),
    })
    .optional(),
  management: z
    .looseObject({ autoUpgrade: z.boolean().optional(), autoRepair: z.boolean().optional() })
    .optional(),
  version: z.string().optional(),
});

export const poolList = z.looseObject({ nodePools: z.array(nodePool).optional() });

/** `null`: it is no node pool. */
export function poolOf(said: unknown): GkeNodePool | null {
  const read = nodePool.safeParse(said);
  return read.success ? (read.data as GkeNodePool) : null;
}

const states: Readonly<Record<string, PoolView['state']>> = {
  PROVISIONING: 'making',
  RUNNING: 'running',
  RECONCILING: 'changing',
  STOPPING: 'going',
};

export function viewOf(pool: GkeNodePool): PoolView {
  const said = nodePool.parse(pool);
  const message = [
    ...(said.conditions ?? []).map((one) => one.message ?? one.code ?? ''),
    said.statusMessage ?? '',
  ]
    .filter((text) => text !== '')
    .join('; ');
  const [one] = said.config.accelerators ?? [];
  return {
    name: pool.name,
    state: states[said.status ?? ''] ?? 'broken',
    message: message === '' ? null : message,
    machineType: said.config.machineType ?? null,
    gpusPerNode: Number(one?.acceleratorCount ?? 0),
    slices: slicesOf(pool),
    zones: said.locations ?? [],
    nodes:
      said.initialNodeCount === undefined
        ? null
        : said.initialNodeCount * Math.max(said.locations?.length ?? 1, 1),
    scaling: scalingOf(said.autoscaling),
    labels: labelsOfNodes(pool),
    nodeLabel: { key: 'cloud.google.com/gke-nodepool', value: pool.name },
  };
}

function scalingOf(
  said:
    | { enabled?: boolean | undefined; minNodeCount?: number | undefined; maxNodeCount?: number | undefined }
    | undefined,
): PoolScaling | null {
  if (said?.enabled !== true) return null;
  return { minNodes: said.minNodeCount ?? 0, maxNodes: said.maxNodeCount ?? 0 };
}

export function slicesOf(pool: GkeNodePool): readonly PoolSlices[] | null {
  const [one] = pool.config.accelerators ?? [];
  if (one === undefined) return [];
  const gpus = Number(one.acceleratorCount ?? 1);
  const sharers = Number(one.gpuSharingConfig?.maxSharedClientsPerGpu ?? 1);
  if (one.gpuPartitionSize === undefined || one.gpuPartitionSize === '') {
    return [{ profile: null, perNode: gpus * sharers }];
  }
  const profile = asNvidiaSpells(one.gpuPartitionSize);
  const perGpu = partitionSizesOf(one.acceleratorType ?? '')[profile];
  return perGpu === undefined ? null : [{ profile, perNode: gpus * perGpu * sharers }];
}
