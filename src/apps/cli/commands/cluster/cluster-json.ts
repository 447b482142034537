/** What `mica cluster show --json` answers. */
import { freeOf } from '#core/cluster/why-pending';
import type { SeenCluster, SeenNode } from './see-cluster.js';

export function clusterAsJson({ nodes, free, waiting }: SeenCluster, notes: readonly string[]): object {
  return {
    schema: 'mica/cluster@1',
    nodes: nodes.map(nodeAsJson),
    free,
    waiting: waiting.map(({ pod, why }) => ({
      namespace: pod.namespace,
      name: pod.name,
      controller: pod.controller,
      wants: pod.wants,
      claims: pod.claims,
      why,
    })),
    notes,
  };
}

function nodeAsJson({ node, model, offers, ...seen }: SeenNode): object {
  const { name, isReady, isCordoned, taints } = node;
  return {
    name,
    isReady,
    isCordoned,
    taints,
    ...seen,
    model: model?.key ?? null,
    offers: offers.map((offer) => ({ ...offer, free: freeOf(offer) })),
  };
}
