/** A cluster as kubectl printed it: the List of `kubectl get nodes,pods -A -o json`, with DRA's objects if they are in it. */
import { readText, nameOf } from '#adapters/files/read-text';
import { ClusterView } from '#adapters/kubernetes/cluster-view';
import { interning } from '#adapters/kubernetes/interning';
import { readClaim, readSlice } from '#adapters/kubernetes/read-dra';
import { readNode } from '#adapters/kubernetes/read-node';
import { readPod } from '#adapters/kubernetes/read-pod';
import type { ClusterState } from '#core/cluster/objects';
import { MicaError } from '#core/errors';
import { z } from 'zod';

/** Pods are some KiB each: tens of thousands of them. */
const longestBytes = 500 * 2 ** 20;

const list = z.object({
  kind: z.string().endsWith('List'),
  items: z.array(z.looseObject({ kind: z.string() })),
});

export async function clusterFromFile(path: string): Promise<ClusterState> {
  const text = await readText(path, longestBytes);
  const parsed = list.safeParse(jsonIn(text));
  if (!parsed.success) throw notAList(path, 'it is not a JSON list of objects');
  try {
    return stateOf(parsed.data.items, path);
  } catch (cause) {
    if (cause instanceof MicaError) throw cause;
    throw notAList(path, 'an object in it lacks what every node or pod has', cause);
  }
}

/** In the order in which a cluster is read: nodes and DRA say whose pods matter. */
function stateOf(items: readonly { readonly kind: string }[], path: string): ClusterState {
  const intern = interning();
  const view = new ClusterView();
  const of = (kind: string): readonly unknown[] => items.filter((item) => item.kind === kind);
  for (const raw of of('Node')) {
    const node = readNode(raw, intern);
    view.putNode(node.name, node);
  }
  if (view.state().nodes.length === 0) throw notAList(path, 'no node is in it');
  for (const raw of of('ResourceSlice')) {
    const slice = readSlice(raw);
    if (slice === null) continue;
    view.withDra();
    view.putSlice(slice.name, slice);
  }
  for (const raw of of('ResourceClaim')) {
    const claim = readClaim(raw);
    view.putClaim(`${claim.namespace}/${claim.name}`, claim);
  }
  for (const raw of of('Pod')) {
    const pod = readPod(raw, view.isGpuNode, intern);
    if (pod !== null) view.putPod(`${pod.namespace}/${pod.name}`, pod);
  }
  return view.state();
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function notAList(path: string, why: string, cause?: unknown): MicaError {
  return new MicaError('bad-document', `${nameOf(path)}: ${why}`, {
    cause,
    next: 'Make it with `kubectl get nodes,pods -A -o json`.',
  });
}
