/** Takes the startup taint off nodes that joined later, as when a group grows, once they offer what their label promises. */
import { slicesFromLabel, slicesLabel } from '#core/clouds/eks/slices-label';
import { slicesMissing, startupTaint } from '#core/clouds/slices-ready';
import type { ClusterState } from '#core/cluster/objects';
import type { ClusterApi } from '#ports/cluster-api';

export interface OpenedNode {
  readonly node: string;
  /** `null`: it takes pods now. */
  readonly why: string | null;
}

/** Nodes without the taint are not looked at. */
export async function openNodes(
  { nodes }: ClusterState,
  cluster: Pick<ClusterApi, 'patchNode'>,
): Promise<readonly OpenedNode[]> {
  const opened: OpenedNode[] = [];
  for (const node of nodes.filter(({ taints }) => taints.some(({ key }) => key === startupTaint.key))) {
    const promised = slicesFromLabel(node.labels[slicesLabel]);
    const missing =
      promised === null
        ? [`it has no label ${slicesLabel} that says what it should offer`]
        : [...(node.isReady ? [] : ['not ready']), ...slicesMissing(node, promised)];
    if (missing.length > 0) opened.push({ node: node.name, why: missing.join(', ') });
    else {
      const { key, effect } = startupTaint;
      const answer = await cluster.patchNode(node.name, { removeTaints: [{ key, effect }] });
      opened.push({ node: node.name, why: answer.ok ? null : answer.why.message });
    }
  }
  return opened;
}
