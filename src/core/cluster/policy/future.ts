/**
 * The cluster as it will be when the changes that are under way have come to a good end. Planning looks at that, so that
 * nothing is planned a second time for pods that wait for such a change already.
 */
import { annotations, readRecord, type ChangeRecord, type Goal } from '../operator/record.js';
import { labels } from '../label-names.js';
import type { ClusterNode, ClusterPod, ClusterState, GpuResources } from '../objects.js';

/** `null`: nobody changes it, or it got stuck, or what is written on it cannot be read. */
export function changeUnderWay({ annotations: of }: ClusterNode): ChangeRecord | null {
  if (of[annotations.change] === undefined) return null;
  const record = readRecord(of);
  return record === null || record === 'unreadable' || record.phase === 'stuck' ? null : record;
}

export function asItWillBe(state: ClusterState): ClusterState {
  const changing = new Map<string, ChangeRecord>();
  for (const node of state.nodes) {
    const record = changeUnderWay(node);
    if (record !== null) changing.set(node.name, record);
  }
  if (changing.size === 0) return state;
  return {
    ...state,
    nodes: state.nodes.map((node) => {
      const record = changing.get(node.name);
      return record === undefined ? node : changed(node, record);
    }),
    pods: state.pods.flatMap((pod) => {
      const record = pod.node === null ? undefined : changing.get(pod.node);
      return record === undefined ? [pod] : moved(pod, record);
    }),
  };
}

function changed(node: ClusterNode, record: ChangeRecord): ClusterNode {
  const { config, expected }: Goal =
    record.phase === 'restoring' && record.previous !== null ? record.previous : record.goal;
  const product = node.labels[labels.product];
  const uncut = product?.replace(/-MIG-.*$|-SHARED$/, '');
  const size = expected.single === null ? '' : `-MIG-${expected.single.replaceAll('+', '.')}`;
  return {
    ...node,
    isReady: true,
    isCordoned: node.isCordoned && !record.cordonedByUs && record.phase !== 'claimed',
    labels: {
      ...node.labels,
      [labels.migConfig]: config,
      [labels.migConfigState]: 'success',
      ...(uncut === undefined ? {} : { [labels.product]: `${uncut}${size}` }),
    },
    capacity: offered(node.capacity, expected),
    allocatable: offered(node.allocatable, expected),
  };
}

/** Where not every GPU of the node is known, what is there now and not expected may stay. */
function offered(now: GpuResources, { counts, exact }: Goal['expected']): GpuResources {
  return exact ? counts : { ...now, ...counts };
}

/**
 * Whoever has a GPU of the node waits for another, soon: which GPUs pods hold is not written on the node. Who is being
 * ended already has left a successor behind, or will.
 */
function moved(pod: ClusterPod, { reach }: ChangeRecord): readonly ClusterPod[] {
  if (reach.gpus.length === 0 || Object.keys(pod.wants).length === 0) return [pod];
  if (pod.phase === 'Succeeded' || pod.phase === 'Failed') return [pod];
  if (pod.isMirror || pod.controller === null || pod.controller.kind === 'DaemonSet') return [pod];
  return pod.isDeleting ? [] : [{ ...pod, node: null, phase: 'Pending' }];
}
