/**
 * A node that turns out to have GPUs has pods that were passed over until then: they are listed once. Meanwhile the watch
 * goes on, and what it says is newer than the list.
 */
import { MicaError } from '#core/errors';
import type { ClusterPod } from '#core/cluster/objects';
import type { ClusterView } from './cluster-view.js';
import type { Kind } from './informer.js';
import { listAll, type ListOptions } from './lists.js';

const retryMs = 2000;

export function podsOfNodes(
  kind: Kind<ClusterPod>,
  view: ClusterView,
  options: Omit<ListOptions, 'may' | 'query'>,
  signal: AbortSignal,
): { readonly kind: Kind<ClusterPod>; readonly learn: (node: string) => void } {
  const queue = new Set<string>();
  /** Pods that the watch spoke of while a list was under way; `undefined`: none is. */
  let spokenOf: Set<string> | undefined;
  /** Nodes that a list of all pods, begun before they were known, may have passed over. */
  let recent = new Set<string>();

  const learnPodsOf = async (node: string): Promise<void> => {
    const found = new Map<string, ClusterPod>();
    const take = (raw: unknown): void => {
      const { key, value } = kind.read(raw);
      if (value !== null) found.set(key, value);
    };
    const query = { fieldSelector: `spec.nodeName=${node}` };
    const restart = (): void => found.clear();
    const listing = { ...options, may: kind.may, query };
    await listAll(kind.path, listing, { restart, take }, signal);
    for (const [key, pod] of found) {
      if (spokenOf?.has(key) !== true && !view.hasPod(key)) view.putPod(key, pod);
    }
  };

  const work = async (): Promise<void> => {
    spokenOf = new Set();
    while (queue.size > 0 && !signal.aborted) {
      const [node = ''] = queue;
      queue.delete(node);
      try {
        await learnPodsOf(node);
      } catch (error) {
        if (!(error instanceof MicaError)) break;
        queue.add(node);
        await options.clock.sleep(retryMs, signal);
      }
    }
    spokenOf = undefined;
  };

  const learn = (node: string): void => {
    recent.add(node);
    queue.add(node);
    if (spokenOf === undefined) void work();
  };

  const spoken: Kind<ClusterPod> = {
    ...kind,
    replace: (all) => {
      kind.replace(all);
      const again = recent;
      recent = new Set();
      for (const node of again) learn(node);
      recent = new Set();
    },
    put: (key, pod) => {
      spokenOf?.add(key);
      kind.put(key, pod);
    },
    remove: (key) => {
      spokenOf?.add(key);
      kind.remove(key);
    },
  };
  return { kind: spoken, learn };
}
