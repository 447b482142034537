/** What changing nodes of a cluster needs of the world. */
import type { Clock } from '#ports/clock';
import type { ClusterApi } from '#ports/cluster-api';
import type { NodePods } from '#ports/node-pods';

export type NodeApi = Pick<
  ClusterApi,
  | 'getNode'
  | 'patchNode'
  | 'evict'
  | 'deletePod'
  | 'getConfigMap'
  | 'listConfigMaps'
  | 'applyConfigMap'
  | 'recordEvent'
> &
  NodePods;

export interface ClusterPorts {
  readonly api: NodeApi;
  readonly clock: Clock;
}
