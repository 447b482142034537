/** The kinds of object that Mica looks at: where they are, what is kept of each, and who may read them. */
import type { ClusterView } from './cluster-view.js';
import type { Kind } from './informer.js';
import type { Intern } from './interning.js';
import { readClaim, readSlice } from './read-dra.js';
import { readNode } from './read-node.js';
import { readPod } from './read-pod.js';
import { z } from 'zod';

const mayRead =
  'The user must be allowed to list and watch nodes and pods, and resourceslices and resourceclaims of ' +
  'resource.k8s.io where there are any: deploy/kubernetes/reader is a ClusterRole with these rights.';

export const nodesPath = '/api/v1/nodes';
const podsPath = '/api/v1/pods';

const named = z.object({
  metadata: z.object({ name: z.string().min(1), namespace: z.string().optional() }),
});

function keyOf(raw: unknown): string {
  const { name, namespace } = named.parse(raw).metadata;
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

function into<T>(
  view: ClusterView,
  part: 'nodes' | 'pods' | 'slices' | 'claims',
  path: string,
  read: (raw: unknown) => T | null,
  put: (key: string, value: T) => void,
  remove: (key: string) => void,
): Kind<T> {
  return {
    path,
    may: mayRead,
    read: (raw) => ({ key: keyOf(raw), value: read(raw) }),
    replace: (all) => view.replace(part, all),
    put,
    remove,
  };
}

export function nodeKind(view: ClusterView, intern: Intern) {
  return into(
    view,
    'nodes',
    nodesPath,
    (raw) => readNode(raw, intern),
    (key, node) => view.putNode(key, node),
    (key) => view.removeNode(key),
  );
}

export function podKind(view: ClusterView, intern: Intern) {
  return into(
    view,
    'pods',
    podsPath,
    (raw) => readPod(raw, view.isGpuNode, intern),
    (key, pod) => view.putPod(key, pod),
    (key) => view.removePod(key),
  );
}

export function sliceKind(view: ClusterView, version: string) {
  return into(
    view,
    'slices',
    `/apis/resource.k8s.io/${version}/resourceslices`,
    readSlice,
    (key, slice) => view.putSlice(key, slice),
    (key) => view.removeSlice(key),
  );
}

export function claimKind(view: ClusterView, version: string) {
  return into(
    view,
    'claims',
    `/apis/resource.k8s.io/${version}/resourceclaims`,
    readClaim,
    (key, claim) => view.putClaim(key, claim),
    (key) => view.removeClaim(key),
  );
}
