/** Whether a node offers the slices that its pool promises. The kubelet keeps resources that are gone: 0 is not enough. */
import type { ClusterNode } from '#core/cluster/objects';

export interface PromisedSlices {
  readonly profile: string | null;
  readonly perNode: number;
}

/** Registered with the node, and taken away when its slices are there: until then no pod may take a whole GPU. */
export const startupTaint = {
  key: 'mica.dev/slices-not-ready',
  value: 'true',
  effect: 'NoSchedule',
} as const;

const gpu = 'nvidia.com/gpu';

/**
 * Empty: it does. Under strategy `mixed` every size is a resource of its own; on GKE and under `single` the one size is
 * `nvidia.com/gpu`. Renamed shared resources (`.shared`) count as well.
 */
export function slicesMissing(node: ClusterNode, promised: readonly PromisedSlices[]): readonly string[] {
  return promised.flatMap(({ profile, perNode }) => {
    // A card that was not cut is one GPU, too: where the node names its product, that must say so.
    const product = node.labels['nvidia.com/gpu.product'];
    const isWhole = profile !== null && product !== undefined && !product.includes('-MIG-');
    const names = [
      ...(profile === null ? [] : [resourceOf(profile)]),
      ...(promised.length === 1 && !isWhole ? [gpu] : []),
    ];
    const offered = names.map((name) => most(node, name));
    if (offered.includes(perNode)) return [];
    const what = profile === null ? 'GPUs' : `slices of ${profile}`;
    return [`${Math.max(0, ...offered)} of ${perNode} ${what} allocatable`];
  });
}

export function resourceOf(profile: string): string {
  return `nvidia.com/mig-${profile.replace('+', '.')}`;
}

function most({ allocatable }: ClusterNode, name: string): number {
  return Math.max(allocatable[name] ?? 0, allocatable[`${name}.shared`] ?? 0);
}
