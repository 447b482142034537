/** Who is on a node, asked of the API server itself: a view kept by a watch may be a moment old. */
import type { ClusterPod } from '#core/cluster/objects';
import type { ApiAnswer } from './cluster-api.js';

export interface NodePods {
  /** All pods of the node, those without GPUs too. */
  readonly podsOn: (node: string) => Promise<ApiAnswer<readonly ClusterPod[]>>;
}
