/** Which policy has which node. A node has one: the policy that was there first. */
import { gpuNodeOf, type GpuNode } from '../gpu-node.js';
import type { ClusterNode } from '../objects.js';
import type { MigPolicy } from './mig-policy.js';

export interface Selected {
  readonly policy: MigPolicy;
  readonly nodes: readonly GpuNode[];
  /** Nodes that it selects too, and another has. */
  readonly lost: readonly { readonly node: string; readonly to: string }[];
}

/** By the policy's name. Only nodes that its backend cuts count. */
export function selectNodes(
  nodes: readonly ClusterNode[],
  policies: readonly MigPolicy[],
): ReadonlyMap<string, Selected> {
  const inOrder = [...policies].sort((a, b) => a.createdMs - b.createdMs || (a.name < b.name ? -1 : 1));
  const found = new Map(
    inOrder.map((policy) => [
      policy.name,
      { policy, nodes: [] as GpuNode[], lost: [] as Selected['lost'][number][] },
    ]),
  );
  for (const node of nodes) {
    const seen = gpuNode(node);
    if (seen === null) continue;
    let owner: string | null = null;
    for (const { name, spec } of inOrder) {
      if (spec.backend !== seen.partitioner || !isSelected(node, spec.nodeSelector)) continue;
      if (owner === null) {
        owner = name;
        found.get(name)?.nodes.push(seen);
      } else found.get(name)?.lost.push({ node: node.name, to: owner });
    }
  }
  return found;
}

function isSelected({ labels }: ClusterNode, selector: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** What a node is does not depend on its pods; unchanged nodes keep their identity between two looks. */
const known = new WeakMap<ClusterNode, GpuNode | null>();

function gpuNode(node: ClusterNode): GpuNode | null {
  let seen = known.get(node);
  if (seen === undefined) {
    seen = gpuNodeOf(node, []);
    known.set(node, seen);
  }
  return seen;
}
