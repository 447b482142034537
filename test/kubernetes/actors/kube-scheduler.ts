/**
 * A small kube-scheduler with the kubelets that it sends pods to: a pod goes to a node with enough allocatable left that it
 * tolerates and that is ready and not cordoned; the kubelet gives it a GPU that has such a slice free, or fails it.
 */
import type { GpuCut } from '#core/cluster/operator/mig-config';
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';
import type { OperatorCluster } from '../../support/operator-cluster.js';

const passDelayMs = 150;
const startMs = 3_000;

export class KubeScheduler {
  readonly #cluster: OperatorCluster;
  /** What the GPUs of a node really carry. */
  readonly #cutOf: (node: string) => ReadonlyMap<number, GpuCut>;
  /** Told of each pod that runs. */
  readonly #onBound: (pod: ClusterPod, node: string) => void;
  #isDue = false;

  constructor(
    cluster: OperatorCluster,
    cutOf: (node: string) => ReadonlyMap<number, GpuCut>,
    onBound: (pod: ClusterPod, node: string) => void,
  ) {
    this.#cluster = cluster;
    this.#cutOf = cutOf;
    this.#onBound = onBound;
  }

  /** Something changed. */
  stir(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#cluster.clock.in(passDelayMs, () => {
      this.#isDue = false;
      this.#pass();
    });
  }

  bind(pod: ClusterPod, node: string): void {
    const { clock } = this.#cluster;
    const gpu = gpuFor(pod, this.#cutOf(node), this.#cluster.podsOn(node));
    if (gpu === null && Object.keys(pod.wants).length > 0) {
      this.#cluster.note(`  ~ kubelet of ${node}: no slice for ${pod.name}`);
      this.#cluster.editPod(pod.uid, { node, phase: 'Failed', unschedulable: null });
      return;
    }
    const annotations = gpu === null ? pod.annotations : { ...pod.annotations, 'test/gpu': String(gpu) };
    this.#cluster.note(`  ~ ${pod.name} runs on ${node}`);
    this.#cluster.editPod(pod.uid, {
      ...{ node, annotations, phase: 'Running', isReady: false, unschedulable: null },
    });
    clock.in(startMs, () => this.#cluster.editPod(pod.uid, { isReady: true }));
    this.#onBound(pod, node);
  }

  #pass(): void {
    const { clock } = this.#cluster;
    for (const pod of this.#cluster.allPods()) {
      if (pod.node !== null || pod.phase !== 'Pending' || pod.isDeleting) continue;
      const node = [...this.#cluster.nodes.values()].find((one) => this.#takes(one, pod));
      if (node !== undefined) this.bind(pod, node.name);
      else if (pod.unschedulable === null) {
        const message = `no node has ${Object.keys(pod.wants).join(', ')}`;
        this.#cluster.editPod(pod.uid, { unschedulable: { message, sinceMs: clock.nowMs() } });
      }
    }
  }

  #takes(node: ClusterNode, pod: ClusterPod): boolean {
    if (!node.isReady || node.isCordoned) return false;
    if (!Object.entries(pod.nodeSelector).every(([key, value]) => node.labels[key] === value)) return false;
    const there = this.#cluster.podsOn(node.name).filter(holds);
    return Object.entries(pod.wants).every(([resource, count]) => {
      const used = there.reduce((sum, { wants }) => sum + (wants[resource] ?? 0), 0);
      return (node.allocatable[resource] ?? 0) - used >= count;
    });
  }
}

function holds({ phase }: ClusterPod): boolean {
  return phase !== 'Succeeded' && phase !== 'Failed';
}

/** `null`: none has such a slice left. */
function gpuFor(
  pod: ClusterPod,
  cut: ReadonlyMap<number, GpuCut>,
  there: readonly ClusterPod[],
): number | null {
  const [resource] = Object.keys(pod.wants);
  if (resource === undefined) return null;
  const profile = resource.replace('nvidia.com/mig-', '').replace('.me', '+me');
  for (const [index, gpu] of cut) {
    const slices = gpu.mig ? (gpu.counts[profile] ?? 0) : Number(resource === 'nvidia.com/gpu');
    const taken = there.filter(
      (one) =>
        holds(one) && one.wants[resource] !== undefined && one.annotations['test/gpu'] === String(index),
    );
    if (taken.length < slices) return index;
  }
  return null;
}
