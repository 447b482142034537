/** Nodes and pods of a cluster for examples: only what an example is about needs to be said. */
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';

export function aNode(said: Partial<ClusterNode> & { readonly name: string }): ClusterNode {
  return {
    uid: `uid-${said.name}`,
    resourceVersion: '1',
    labels: {},
    annotations: {},
    taints: [],
    isReady: true,
    isCordoned: false,
    capacity: {},
    allocatable: said.capacity ?? {},
    createdMs: 0,
    ...said,
  };
}

export function aPod(said: Partial<ClusterPod> & { readonly name: string }): ClusterPod {
  return {
    namespace: 'default',
    uid: `uid-${said.name}`,
    resourceVersion: '1',
    labels: {},
    annotations: {},
    node: null,
    phase: said.node === undefined || said.node === null ? 'Pending' : 'Running',
    isReady: true,
    isDeleting: false,
    controller: null,
    wants: {},
    claims: [],
    nodeSelector: {},
    tolerations: [],
    graceSeconds: 30,
    priority: 0,
    hasEmptyDir: false,
    isMirror: false,
    createdMs: 0,
    unschedulable: null,
    ...said,
  };
}
