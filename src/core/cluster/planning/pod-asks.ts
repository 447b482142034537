/** What a pod asks for and whether it may be moved: read from its resources, selectors, owner and annotations. */
import { asNvidiaSpells } from '#core/catalogue/profile-name';
import { labels } from '../label-names.js';
import type { ClusterPod } from '../objects.js';

/** `count` slices of `profile` (`null`: whole GPUs) on one node, asked for as `resource`. */
export interface Ask {
  readonly resource: string;
  readonly profile: string | null;
  readonly count: number;
  /** Without what says the slice's size: that is in `profile`. */
  readonly selector: Readonly<Record<string, string>>;
  /** It asks for `nvidia.com/gpu` and says no size: the scheduler gives it whatever is offered by that name. */
  readonly isAnySize: boolean;
}

export type AskAnswer =
  { readonly ok: true; readonly ask: Ask } | { readonly ok: false; readonly why: string };

export const gpuResource = 'nvidia.com/gpu';

/** Of a pod that wants GPUs. On GKE and under the strategy `single` it is a selector that says which slice is meant. */
export function askOf({ claims, wants, nodeSelector }: ClusterPod): AskAnswer {
  if (claims.length > 0) return { ok: false, why: 'it asks by a ResourceClaim, which the DRA driver serves' };
  const alike = known.get(wants) ?? new WeakMap<object, AskAnswer>();
  known.set(wants, alike);
  const answer = alike.get(nodeSelector) ?? readAsk(wants, nodeSelector);
  alike.set(nodeSelector, answer);
  return answer;
}

/** Pods that want the same share what they say, so that thousands of them are read once. */
const known = new WeakMap<object, WeakMap<object, AskAnswer>>();

function readAsk(wants: ClusterPod['wants'], nodeSelector: ClusterPod['nodeSelector']): AskAnswer {
  const [wanted, second] = Object.entries(wants).filter(([, count]) => count > 0);
  if (wanted === undefined) return { ok: false, why: 'it asks for no GPU' };
  if (second !== undefined) return { ok: false, why: `it asks for ${wanted[0]} and ${second[0]} at once` };
  const [resource, count] = wanted;
  if (resource.endsWith('.shared'))
    return { ok: false, why: `${resource} is a turn on a slice, not a slice` };
  const { size, selector } = sizeSelected(nodeSelector);
  const profile = resource === gpuResource ? size : asNvidiaSpells(resource);
  // GFD's product of a GPU that is cut has another name.
  const isAnySize = resource === gpuResource && size === null && !(labels.product in nodeSelector);
  return { ok: true, ask: { resource, profile, count, selector, isAnySize } };
}

function sizeSelected(nodeSelector: ClusterPod['nodeSelector']): {
  readonly size: string | null;
  readonly selector: Readonly<Record<string, string>>;
} {
  let size: string | null = null;
  const selector: Record<string, string> = {};
  for (const [key, value] of Object.entries(nodeSelector)) {
    const cut = key === labels.product ? /-MIG-(\dg\..*?)$/.exec(value)?.[1] : undefined;
    if (key === labels.gkePartition) size = value === '' ? null : asNvidiaSpells(value);
    else if (cut !== undefined) {
      size = asNvidiaSpells(cut);
      selector[key] = productUncut(value);
    } else selector[key] = value;
  }
  return { size, selector };
}

/** The product's name without how it is cut. */
export function productUncut(product: string): string {
  return product.replace(/-MIG-.*$|-SHARED$/, '');
}

/** Labels by which one node, or one pool of GKE, is named. */
export const namesOfOne: readonly string[] = [labels.gkePool, labels.hostname];

/** Labels that a new cut changes: who selects by them stays with the nodes that have them now. */
export function pinningLabel(pod: ClusterPod, changingNames: ReadonlySet<string>): string | null {
  const pinned = Object.entries(pod.nodeSelector).find(
    ([key, value]) =>
      key.startsWith('nvidia.com/mig') || (namesOfOne.includes(key) && changingNames.has(value)),
  );
  return pinned?.[0] ?? null;
}

const movableAnnotation = 'mica.dev/movable';
const safeToEvict = 'cluster-autoscaler.kubernetes.io/safe-to-evict';

/** `null`: it may. A PodDisruptionBudget says when, not whether: that is for the change to wait for. */
export function whyItStays(pod: ClusterPod): string | null {
  if (pod.isMirror) return 'the kubelet made it from a file';
  if (pod.controller === null) return 'nothing would make it again: it has no controller';
  if (pod.controller.kind === 'DaemonSet') return 'it belongs to its node (DaemonSet)';
  if (pod.annotations[movableAnnotation] === 'false') return `it says ${movableAnnotation}: "false"`;
  if (pod.annotations[safeToEvict] === 'false') return `it says ${safeToEvict}: "false"`;
  return null;
}

/** Who a pod works for, by the name that users know. */
export interface WorkloadName {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

/** A ReplicaSet is its Deployment's: the hash of the template is the end of its name. */
export function workloadOf({ namespace, name, controller, labels: own }: ClusterPod): WorkloadName {
  if (controller === null) return { namespace, kind: 'Pod', name };
  const hash = own['pod-template-hash'];
  const end = hash === undefined ? /-[bcdfghjklmnpqrstvwxz2456789]{6,10}$/ : new RegExp(`-${hash}$`);
  if (controller.kind === 'ReplicaSet' && end.test(controller.name))
    return { namespace, kind: 'Deployment', name: controller.name.replace(end, '') };
  return { namespace, kind: controller.kind, name: controller.name };
}

export function workloadKey({ namespace, kind, name }: WorkloadName): string {
  return kind === 'Pod' ? `${namespace}/${name}` : `${kind} ${namespace}/${name}`;
}
