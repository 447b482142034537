/** Nodes and who is on them, asked of the API server itself: a view kept by a watch may be a moment old. */
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';
import type { ApiAnswer } from './cluster-api.js';

export interface NodePods {
  /** All pods of the node, those without GPUs too. */
  readonly podsOn: (node: string) => Promise<ApiAnswer<readonly ClusterPod[]>>;
  /** All nodes, or those with this label. */
  readonly nodes: (label?: {
    readonly key: string;
    readonly value: string;
  }) => Promise<ApiAnswer<readonly ClusterNode[]>>;
}
