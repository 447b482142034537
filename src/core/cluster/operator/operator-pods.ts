/** Which pods of a node are the GPU Operator's own, and which of them does what. */
import type { ClusterPod } from '../objects.js';

/** Components that wedge and are mended by a new pod. */
export type OperatorPart = 'mig-manager' | 'device-plugin' | 'gpu-feature-discovery';

/** Values of the label `app` in the operator's manifests. Source: NVIDIA/gpu-operator@a22dbf6, assets/state-*, 2026-08. */
const apps: Readonly<Record<OperatorPart, string>> = {
  'mig-manager': 'nvidia-mig-manager',
  'device-plugin': 'nvidia-device-plugin-daemonset',
  'gpu-feature-discovery': 'gpu-feature-discovery',
};

export function podOf(part: OperatorPart, pods: readonly ClusterPod[], namespace: string): ClusterPod | null {
  const found = pods.filter((pod) => pod.namespace === namespace && pod.labels['app'] === apps[part]);
  return found.find(({ isDeleting }) => !isDeleting) ?? found[0] ?? null;
}

/** Pods that nobody has to move: they end, come back or belong to the machinery by themselves. */
export function isLeftAlone(pod: ClusterPod, operatorNamespace: string): boolean {
  return (
    pod.phase === 'Succeeded' ||
    pod.phase === 'Failed' ||
    pod.isMirror ||
    pod.controller?.kind === 'DaemonSet' ||
    pod.namespace === operatorNamespace
  );
}
