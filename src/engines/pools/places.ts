/** Whether pods that must go find a place on the nodes that stay: GPUs and slices are counted, the first node that fits. */
import type { ClusterNode, ClusterPod, ClusterState, Taint, Toleration } from '#core/cluster/objects';

/** Large asks first. CPU, memory and affinity are not looked at: the scheduler has the last word. */
export function podsWithoutPlace(
  pods: readonly ClusterPod[],
  { nodes, pods: all }: ClusterState,
  leaving: readonly ClusterNode[],
): readonly ClusterPod[] {
  const names = new Set(leaving.map(({ name }) => name));
  const staying = nodes.filter(({ name, isCordoned, isReady }) => !names.has(name) && !isCordoned && isReady);
  const free = new Map(staying.map((node) => [node.name, { ...node.allocatable }]));
  for (const { node, wants, phase } of all) {
    const left = node === null || phase === 'Succeeded' || phase === 'Failed' ? undefined : free.get(node);
    if (left !== undefined) take(left, wants);
  }
  const size = ({ wants }: ClusterPod): number => Object.values(wants).reduce((sum, one) => sum + one, 0);
  return [...pods]
    .sort((a, b) => size(b) - size(a))
    .filter((pod) => {
      const place = staying.find((node) => mayRunOn(pod, node) && fits(pod, free.get(node.name) ?? {}));
      if (place !== undefined) take(free.get(place.name) ?? {}, pod.wants);
      return place === undefined;
    });
}

/** As far as selector and taints go. */
export function mayRunOn(
  { nodeSelector, tolerations }: ClusterPod,
  { labels, taints }: ClusterNode,
): boolean {
  return (
    Object.entries(nodeSelector).every(([key, value]) => labels[key] === value) &&
    taints.every(
      (taint) => taint.effect === 'PreferNoSchedule' || tolerations.some((one) => tolerates(one, taint)),
    )
  );
}

function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect !== null && effect !== taint.effect) return false;
  if (key === null) return operator === 'Exists';
  return key === taint.key && (operator === 'Exists' || value === taint.value);
}

function fits({ wants }: ClusterPod, free: Readonly<Record<string, number>>): boolean {
  return Object.entries(wants).every(([resource, count]) => (free[resource] ?? 0) >= count);
}

function take(free: Record<string, number>, wants: Readonly<Record<string, number>>): void {
  for (const [resource, count] of Object.entries(wants)) free[resource] = (free[resource] ?? 0) - count;
}
