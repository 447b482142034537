/** Objects of a cluster as its API has them, made from what Mica reads of them. */
import type { ClusterNode, ClusterPod, DraDevice } from '#core/cluster/objects';
import { aNode, aPod } from './cluster-objects.js';

type Wire = Record<string, unknown>;

const strings = (counts: Readonly<Record<string, number>>): Record<string, string> =>
  Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, String(count)]));

export function wireNode(said: Partial<ClusterNode> & { readonly name: string }): Wire {
  const { name, uid, labels, annotations, taints, isReady, isCordoned, capacity, allocatable } = aNode(said);
  const common = { cpu: '48', memory: '180Gi', pods: '110' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid, labels, annotations },
    spec: {
      ...(isCordoned ? { unschedulable: true } : {}),
      ...(taints.length === 0 ? {} : { taints }),
    },
    status: {
      capacity: { ...common, ...strings(capacity) },
      allocatable: { ...common, ...strings(allocatable) },
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', reason: 'Kubelet' }],
    },
  };
}

export function wirePod(said: Partial<ClusterPod> & { readonly name: string }): Wire {
  const pod = aPod(said);
  const waits =
    pod.unschedulable === null
      ? []
      : [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: pod.unschedulable.message,
            lastTransitionTime: new Date(pod.unschedulable.sinceMs).toISOString().replace(/\.\d+/, ''),
          },
        ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: pod.name,
      namespace: pod.namespace,
      uid: pod.uid,
      labels: pod.labels,
      annotations: pod.annotations,
      ...(pod.controller === null
        ? {}
        : { ownerReferences: [{ apiVersion: 'apps/v1', controller: true, ...pod.controller }] }),
    },
    spec: {
      ...(pod.node === null ? {} : { nodeName: pod.node }),
      nodeSelector: pod.nodeSelector,
      tolerations: pod.tolerations.map(({ key, operator, value, effect }) => ({
        operator,
        ...(key === null ? {} : { key }),
        ...(value === '' ? {} : { value }),
        ...(effect === null ? {} : { effect }),
      })),
      terminationGracePeriodSeconds: pod.graceSeconds,
      ...(pod.hasEmptyDir ? { volumes: [{ name: 'data', emptyDir: {} }] } : {}),
      containers: [{ name: 'main', image: 'app:1', resources: { limits: strings(pod.wants) } }],
      ...(pod.claims.length === 0
        ? {}
        : {
            resourceClaims: pod.claims.map((claim, index) => ({
              name: `c${index}`,
              resourceClaimName: claim,
            })),
          }),
    },
    status: {
      phase: pod.phase,
      conditions: [{ type: 'Ready', status: pod.isReady ? 'True' : 'False' }, ...waits],
    },
  };
}

/** What one node's driver offers, as in NVIDIA's reference of ResourceSlice attributes (2026-08). */
export function wireSlice(
  node: string,
  devices: readonly Pick<DraDevice, 'device' | 'attributes'>[],
  generation = 1,
): Wire {
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceSlice',
    metadata: { name: `${node}-gpu.nvidia.com-${generation}` },
    spec: {
      driver: 'gpu.nvidia.com',
      nodeName: node,
      pool: { name: node, generation, resourceSliceCount: 1 },
      devices: devices.map(({ device, attributes }) => ({
        name: device,
        attributes: Object.fromEntries(
          Object.entries(attributes).map(([name, value]) => [name, { string: String(value) }]),
        ),
      })),
    },
  };
}

export function wireClaim(
  name: string,
  devices: readonly { readonly pool: string; readonly device: string }[],
  pod: string,
): Wire {
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name, namespace: 'default' },
    spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'mig.nvidia.com' } }] } },
    status: {
      allocation: {
        devices: {
          results: devices.map((device) => ({ request: 'gpu', driver: 'gpu.nvidia.com', ...device })),
        },
      },
      reservedFor: [{ resource: 'pods', name: pod, uid: `uid-${pod}` }],
    },
  };
}
