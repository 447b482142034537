/** A cluster with GPU nodes of every kind: GPU Operator (mixed, single, whole, failed), GKE, DRA, a plain device plugin. */
import type { ClusterPod } from '#core/cluster/objects';
import { gkeG4, mixedH100, wholeH100 } from './node-labels.js';
import { wireClaim, wireNode, wirePod, wireSlice } from './wire-objects.js';

const ready = { isReady: true };
const chat = { kind: 'ReplicaSet', name: 'chat-7c9f8d5b6b', uid: 'uid-chat' };

function waiting(name: string, said: Partial<ClusterPod>): object {
  const unschedulable = {
    message: '0/9 nodes are available: 9 Insufficient nvidia.com/gpu.',
    sinceMs: 1_763_900_000_000,
  };
  return wirePod({ name, unschedulable, ...said });
}

const mig = (profile: string, index: number) => ({
  device: `gpu-0-mig-${profile}-${index}`,
  attributes: {
    type: 'mig',
    profile,
    productName: 'NVIDIA RTX PRO 6000 Blackwell Server Edition',
    parentUUID: 'GPU-2fa81118-5a5f-aa66-7660-471eed407181',
  },
});

export function mixedCluster(): readonly object[] {
  const mixed = { 'nvidia.com/mig-1g.10gb': 2, 'nvidia.com/mig-2g.20gb': 1, 'nvidia.com/mig-3g.40gb': 1 };
  const single = { ...wholeH100, 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3-MIG-1g.10gb' };
  const operatorTaint = [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }];
  return [
    wireNode({ name: 'operator-mixed', labels: mixedH100, capacity: mixed, ...ready }),
    wirePod({
      name: 'chat-7c9f8d5b6b-x2x4z',
      node: 'operator-mixed',
      wants: { 'nvidia.com/mig-1g.10gb': 1 },
    }),
    wirePod({ name: 'trainer-0', node: 'operator-mixed', wants: { 'nvidia.com/mig-3g.40gb': 1 } }),
    wirePod({ name: 'device-plugin-k8x2p', node: 'operator-mixed', namespace: 'gpu-operator' }),
    wireNode({
      name: 'operator-single',
      labels: { ...single, 'nvidia.com/gpu.count': '14', 'nvidia.com/mig.config': 'all-1g.10gb' },
      capacity: { 'nvidia.com/gpu': 14 },
      taints: operatorTaint,
    }),
    ...[0, 1, 2].map((index) =>
      wirePod({ name: `embed-${index}`, node: 'operator-single', wants: { 'nvidia.com/gpu': 1 } }),
    ),
    wireNode({ name: 'operator-whole', labels: wholeH100, capacity: { 'nvidia.com/gpu': 1 } }),
    wireNode({
      name: 'operator-failed',
      labels: {
        ...mixedH100,
        'nvidia.com/mig.config.state': 'failed',
        'nvidia.com/gpu.deploy.device-plugin': 'paused-for-mig-change',
      },
      capacity: { 'nvidia.com/mig-3g.40gb': 2 },
      allocatable: { 'nvidia.com/mig-3g.40gb': 0 },
      isCordoned: true,
    }),
    wireNode({
      name: 'gke-cluster-1-mig-9f2c1d7e-x0aa',
      labels: gkeG4,
      capacity: { 'nvidia.com/gpu': 16 },
    }),
    ...[0, 1, 2, 3, 4].map((index) =>
      wirePod({
        name: `bert-${index}`,
        node: 'gke-cluster-1-mig-9f2c1d7e-x0aa',
        wants: { 'nvidia.com/gpu': 1 },
      }),
    ),
    wireNode({ name: 'dra-1', labels: { 'eks.amazonaws.com/nodegroup': 'dra' } }),
    wireSlice('dra-1', [mig('1g.24gb', 0), mig('1g.24gb', 1), mig('2g.48gb', 0)]),
    wireClaim('llm-claim', [{ pool: 'dra-1', device: 'gpu-0-mig-1g.24gb-0' }], 'llm-0'),
    wirePod({ name: 'llm-0', node: 'dra-1', claims: ['llm-claim'] }),
    wireNode({
      name: 'plugin-1',
      labels: { 'node.kubernetes.io/instance-type': 'g4-standard-96', 'karpenter.sh/nodepool': 'gpu' },
      capacity: { 'nvidia.com/gpu': 2 },
      isReady: false,
    }),
    wireNode({ name: 'web-1' }),
    wirePod({ name: 'web', node: 'web-1' }),
    ...['aaaaa', 'bbbbb'].map((id) =>
      waiting(`chat-7c9f8d5b6b-${id}`, {
        wants: { 'nvidia.com/mig-4g.40gb': 1 },
        controller: chat,
        uid: `uid-${id}`,
      }),
    ),
    waiting('big', { wants: { 'nvidia.com/gpu': 12 } }),
    waiting('picky', {
      wants: { 'nvidia.com/mig-2g.20gb': 1 },
      nodeSelector: { zone: 'b' },
    }),
  ];
}
