/** A process with a large cluster in a strict API server. Its first line is the kubeconfig; it ends with its standard input. */
import { startApiServer } from '../test/kubernetes/api-server/server.js';
import { mixedH100 } from '../test/support/node-labels.js';
import { wireNode, wirePod } from '../test/support/wire-objects.js';

const [, , nodesText = '0', podsText = '0', gpuShareText = '1'] = process.argv;
const nodes = Number(nodesText);
const pods = Number(podsText);
const gpuNodes = Math.round(nodes * Number(gpuShareText));
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

function managed(object: Record<string, unknown>, kind: string): Record<string, unknown> {
  return {
    ...object,
    metadata: { ...(object['metadata'] as object), managedFields: managedFields(kind) },
  };
}

const server = await startApiServer();
const batch: Record<string, unknown>[] = [];
const put = (object: Record<string, unknown>): void => {
  batch.push(object);
  if (batch.length < 2000) return;
  server.seed(batch.splice(0));
};
for (let index = 0; index < nodes; index += 1) {
  const isGpu = index < gpuNodes;
  const labels = { ...moreLabels, ...(isGpu ? mixedH100 : {}), 'kubernetes.io/hostname': `node-${index}` };
  put(managed(wireNode({ name: `node-${index}`, labels, capacity: isGpu ? { [resource]: 7 } : {} }), 'node'));
}
for (let index = 0; index < pods; index += 1) {
  const node = index % nodes;
  const wants = node < gpuNodes && index / nodes < 5 ? { [resource]: 1 } : {};
  const app = `app-${index % 500}`;
  const name = `${app}-${index}`;
  const labels = { app, team: `team-${index % 20}`, 'pod-template-hash': `7c9f8d5b${index % 500}` };
  const controller = { kind: 'ReplicaSet', name: app, uid: `uid-${app}` };
  put(managed(wirePod({ name, node: `node-${node}`, wants, labels, controller, namespace: 'apps' }), 'pod'));
}
server.seed(batch);
process.stdout.write(`${server.kubeconfigPath}\n`);
process.stdin.resume();
process.stdin.on('end', () => void server.close().then(() => process.exit(0)));
