/** Requests about a node pool that is there: delete it, give it a size, let it scale or not. */
import { clusterPath, type GkeAutoscaling, type GkeCluster } from './node-pool.js';
import type { CloudRequest } from '../request.js';

export function deletePool(place: GkeCluster, name: string): CloudRequest {
  return {
    method: 'DELETE',
    path: `v1/${clusterPath(place)}/nodePools/${name}`,
    body: null,
    command: [...command('node-pools', 'delete', name, `--cluster=${place.cluster}`), ...whereOf(place)],
    unsaid: [],
  };
}

/** Nodes in each of its zones. */
export function setPoolSize(place: GkeCluster, name: string, nodeCount: number): CloudRequest {
  const pool = `${clusterPath(place)}/nodePools/${name}`;
  return {
    method: 'POST',
    path: `v1/${pool}:setSize`,
    body: { name: pool, nodeCount },
    command: [
      ...command('clusters', 'resize', place.cluster, `--node-pool=${name}`, `--num-nodes=${nodeCount}`),
      ...whereOf(place),
    ],
    unsaid: [],
  };
}

/** An update of the cluster that names the pool: that is how gcloud does it. `null`: no autoscaling. */
export function setAutoscaling(
  place: GkeCluster,
  name: string,
  autoscaling: GkeAutoscaling | null,
): CloudRequest {
  const flags = Object.entries(flagOf).flatMap(([field, flag]) => {
    const value = autoscaling?.[field as keyof typeof flagOf];
    return value === undefined ? [] : [`--${flag}=${value}`];
  });
  const enabling = autoscaling === null ? ['--no-enable-autoscaling'] : ['--enable-autoscaling', ...flags];
  return {
    method: 'PUT',
    path: `v1/${clusterPath(place)}`,
    body: {
      name: clusterPath(place),
      update: { desiredNodePoolAutoscaling: autoscaling ?? off, desiredNodePoolId: name },
    },
    command: [
      ...command('node-pools', 'update', name, `--cluster=${place.cluster}`, ...enabling),
      ...whereOf(place),
    ],
    unsaid: [],
  };
}

/** As gcloud 528 sends it. */
const off = {
  enabled: false,
  minNodeCount: 0,
  maxNodeCount: 0,
  totalMinNodeCount: 0,
  totalMaxNodeCount: 0,
  locationPolicy: 'LOCATION_POLICY_UNSPECIFIED',
  autoprovisioned: false,
} as const;

const flagOf = {
  minNodeCount: 'min-nodes',
  maxNodeCount: 'max-nodes',
  totalMinNodeCount: 'total-min-nodes',
  totalMaxNodeCount: 'total-max-nodes',
  locationPolicy: 'location-policy',
} as const;

function command(...words: readonly string[]): readonly string[] {
  return ['gcloud', 'container', ...words];
}

function whereOf({ project, location }: GkeCluster): readonly string[] {
  return [`--project=${project}`, `--location=${location}`];
}
