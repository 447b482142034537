/** A large cluster as its API server has it: objects as long as real ones, half of them managed fields. */
import { mixedH100 } from '../test/support/node-labels.js';
import { wireNode, wirePod } from '../test/support/wire-objects.js';

type Wire = Record<string, unknown>;

export interface BigCluster {
  readonly nodes: number;
  readonly pods: number;
  /** Of all nodes, from the first on. */
  readonly gpuNodes: number;
  /** Of these, the last ones: nobody has their slices. */
  readonly idleNodes: number;
}

const resource = 'nvidia.com/mig-1g.10gb';

/** Clouds and the feature discoveries of CPU and GPU write that many. */
const moreLabels = Object.fromEntries(
  Array.from({ length: 40 }, (_, index) => [`feature.node.kubernetes.io/cpu-feature-${index}`, 'true']),
);
/** Objects of real clusters are half made of these. */
const managedFields = (kind: string) =>
  ['kubelet', 'kube-controller-manager', 'nfd-master'].map((manager) => ({
    manager: `${manager}-${kind}`,
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-11-01T10:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`f:a-field-of-some-length-${index}`, {}]),
    ),
  }));

function managed(object: Wire, kind: string): Wire {
  return {
    ...object,
    metadata: { ...(object['metadata'] as object), managedFields: managedFields(kind) },
  };
}

export function fillCluster(
  { nodes, pods, gpuNodes, idleNodes }: BigCluster,
  seed: (objects: readonly Wire[]) => void,
): void {
  const batch: Wire[] = [];
  const put = (object: Wire): void => {
    batch.push(object);
    if (batch.length === 2000) seed(batch.splice(0));
  };
  for (let index = 0; index < nodes; index += 1) {
    const isGpu = index < gpuNodes;
    const labels = { ...moreLabels, ...(isGpu ? mixedH100 : {}), 'kubernetes.io/hostname': `node-${index}` };
    put(
      managed(wireNode({ name: `node-${index}`, labels, capacity: isGpu ? { [resource]: 7 } : {} }), 'node'),
    );
  }
  for (let index = 0; index < pods; index += 1) {
    const node = index % nodes;
    const wants = node < gpuNodes - idleNodes && index / nodes < 5 ? { [resource]: 1 } : {};
    const app = `app-${index % 500}`;
    const name = `${app}-${index}`;
    const labels = { app, team: `team-${index % 20}`, 'pod-template-hash': `7c9f8d5b${index % 500}` };
    const controller = { kind: 'ReplicaSet', name: app, uid: `uid-${app}` };
    put(
      managed(wirePod({ name, node: `node-${node}`, wants, labels, controller, namespace: 'apps' }), 'pod'),
    );
  }
  seed(batch);
}
