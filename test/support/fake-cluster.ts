/** A cluster in memory behind the ClusterApi port, for tests of engines: what was asked of it is kept, and it can refuse. */
import { gpuNodeOf } from '#core/cluster/gpu-node';
import type { ClusterNode, ClusterPod, ClusterState, DraClaim, DraDevice } from '#core/cluster/objects';
import type {
  ApiAnswer,
  ApiRefusal,
  ClusterApi,
  ClusterEvent,
  ClusterWatch,
  ConfigMapValue,
  NodePatch,
} from '#ports/cluster-api';
import type { ClusterWorld } from '#ports/cluster-api.contract';
import { aNode, aPod } from './cluster-objects.js';

export type FakeCall =
  | { readonly verb: 'patchNode'; readonly name: string; readonly patch: NodePatch }
  | { readonly verb: 'evict' | 'deletePod'; readonly name: string; readonly namespace: string }
  | { readonly verb: 'applyConfigMap'; readonly name: string; readonly namespace: string }
  | { readonly verb: 'recordEvent'; readonly event: ClusterEvent };

export interface FakeCluster {
  readonly api: ClusterApi;
  readonly world: ClusterWorld;
  /** Every change that was asked for, in order, also those that were refused. */
  readonly calls: readonly FakeCall[];
  readonly setDra: (devices: readonly DraDevice[], claims: readonly DraClaim[]) => void;
  /** Asked before each change; answers why it is refused, or nothing. */
  refuse: (call: FakeCall) => ApiRefusal['kind'] | undefined;
  /** What becomes of a pod that is evicted or deleted; by itself it is only marked as going. */
  onGoing: (pod: ClusterPod) => void;
  /** Seen after each change of a node, as by mig-manager and the kubelet. */
  onNode: (node: ClusterNode, before: ClusterNode | undefined) => void;
}

const no = <T>(kind: ApiRefusal['kind'], message: string): ApiAnswer<T> => ({
  ok: false,
  why: { kind, message, retryAfterMs: null },
});
const yes = <T>(value: T): ApiAnswer<T> => ({ ok: true, value });

export function fakeCluster(): FakeCluster {
  const nodes = new Map<string, ClusterNode>();
  const pods = new Map<string, ClusterPod>();
  const maps = new Map<string, ConfigMapValue & { readonly ours: ReadonlySet<string> }>();
  const budgets: (readonly [string, readonly [string, string]])[] = [];
  const calls: FakeCall[] = [];
  const events: ClusterEvent[] = [];
  const waiting = new Set<() => void>();
  let dra: ClusterState['dra'] = null;
  let version = 1;
  let lists: { nodes?: readonly ClusterNode[]; pods?: readonly ClusterPod[] } = {};
  let whole: ClusterState | undefined;
  const podLists = new Map<string, readonly ClusterPod[]>();

  const touch = (part: 'nodes' | 'pods' | 'dra', node?: string | null): string => {
    version += 1;
    whole = undefined;
    // A node's nature decides whose pods matter.
    lists = part === 'pods' ? { ...lists, pods: undefined! } : {};
    if (part === 'pods' && typeof node === 'string') podLists.delete(node);
    else if (part !== 'pods') podLists.clear();
    for (const wake of [...waiting]) wake();
    return String(version);
  };
  const isGpuNode = (name: string | null): boolean => {
    const node = name === null ? undefined : nodes.get(name);
    if (node === undefined) return false;
    return gpuNodeOf(node, []) !== null || dra?.devices.some((device) => device.node === name) === true;
  };
  const matters = (pod: ClusterPod): boolean =>
    Object.keys(pod.wants).length > 0 || pod.claims.length > 0 || isGpuNode(pod.node);

  const putNode = (said: ClusterNode): ClusterNode => {
    const before = nodes.get(said.name);
    const node = { ...said, resourceVersion: String(version + 1) };
    nodes.set(said.name, node);
    touch('nodes');
    fake.onNode(node, before);
    return nodes.get(said.name) ?? node;
  };
  const putPod = (said: ClusterPod): void => {
    const key = `${said.namespace}/${said.name}`;
    const before = pods.get(key);
    pods.set(key, { ...said, resourceVersion: String(version + 1) });
    if (before !== undefined && before.node !== said.node) podLists.delete(before.node ?? '');
    touch('pods', said.node);
  };
  const refused = <T>(call: FakeCall): ApiAnswer<T> | undefined => {
    calls.push(call);
    const kind = fake.refuse(call);
    return kind === undefined ? undefined : no(kind, `refused: ${kind}`);
  };
  const state = (): ClusterState => {
    lists.nodes ??= [...nodes.values()];
    lists.pods ??= [...pods.values()].filter(matters);
    whole ??= { nodes: lists.nodes, pods: lists.pods, dra };
    return whole;
  };
  const podsOn = (node: string): readonly ClusterPod[] => {
    const list = podLists.get(node) ?? [...pods.values()].filter((pod) => pod.node === node && matters(pod));
    podLists.set(node, list);
    return list;
  };
  const removed = (verb: 'evict' | 'deletePod'): ClusterApi['deletePod'] => {
    return ({ namespace, name, uid, resourceVersion }) => {
      const not = refused<null>({ verb, namespace, name });
      if (not !== undefined) return Promise.resolve(not);
      const pod = pods.get(`${namespace}/${name}`);
      if (pod?.uid !== uid) return Promise.resolve(no('gone', `there is no pod ${namespace}/${name}`));
      if (resourceVersion !== undefined && resourceVersion !== pod.resourceVersion)
        return Promise.resolve(no(pod.isDeleting ? 'gone' : 'conflict', `${name} was changed`));
      const isKept = budgets.some(
        ([within, [key, value]]) => within === namespace && pod.labels[key] === value,
      );
      if (verb === 'evict' && isKept) return Promise.resolve(no('too-many', 'a disruption budget says no'));
      putPod({ ...pod, isDeleting: true });
      fake.onGoing(pod);
      return Promise.resolve(yes(null));
    };
  };

  const watch = (): ClusterWatch => {
    let isClosed = false;
    return {
      state,
      node: (name) => nodes.get(name) ?? null,
      podsOn,
      version: () => version,
      trouble: () => null,
      changed: async (since, signal) => {
        while (version <= since && !signal.aborted && !isClosed) {
          await new Promise<void>((resolve) => {
            const wake = (): void => {
              waiting.delete(wake);
              signal.removeEventListener('abort', wake);
              resolve();
            };
            waiting.add(wake);
            signal.addEventListener('abort', wake, { once: true });
          });
        }
      },
      close: () => {
        isClosed = true;
        for (const wake of [...waiting]) wake();
        return Promise.resolve();
      },
    };
  };

  const api: ClusterApi = {
    read: () => Promise.resolve(state()),
    watch: () => Promise.resolve(watch()),
    getNode: (name) => {
      const node = nodes.get(name);
      return Promise.resolve(node === undefined ? no('gone', `there is no node ${name}`) : yes(node));
    },
    patchNode: (name, patch, resourceVersion) => {
      const not = refused<ClusterNode>({ verb: 'patchNode', name, patch });
      const node = nodes.get(name);
      if (not !== undefined) return Promise.resolve(not);
      if (node === undefined) return Promise.resolve(no('gone', `there is no node ${name}`));
      if (resourceVersion !== undefined && resourceVersion !== node.resourceVersion)
        return Promise.resolve(no('conflict', `${name} was changed`));
      return Promise.resolve(yes(putNode(patched(node, patch))));
    },
    evict: (pod) => removed('evict')(pod),
    deletePod: removed('deletePod'),
    getConfigMap: (namespace, name) => Promise.resolve(yes(shown(maps.get(`${namespace}/${name}`)) ?? null)),
    listConfigMaps: (namespace, selector) => {
      const wanted = selector.split(',').map((term) => term.split('=') as [string, string]);
      const found = [...maps.values()].filter(
        (map) => map.namespace === namespace && wanted.every(([key, value]) => map.labels[key] === value),
      );
      return Promise.resolve(yes(found.map((map) => shown(map)!)));
    },
    applyConfigMap: (namespace, name, data, resourceVersion) => {
      const not = refused<ConfigMapValue>({ verb: 'applyConfigMap', namespace, name });
      if (not !== undefined) return Promise.resolve(not);
      const before = maps.get(`${namespace}/${name}`);
      if (resourceVersion !== undefined && resourceVersion !== before?.resourceVersion)
        return Promise.resolve(no('conflict', `${name} was changed`));
      const others = Object.entries(before?.data ?? {}).filter(([key]) => before?.ours.has(key) !== true);
      const map = {
        ...{ namespace, name, labels: before?.labels ?? {}, ours: new Set(Object.keys(data)) },
        resourceVersion: touch('dra'),
        data: { ...Object.fromEntries(others), ...data },
      };
      maps.set(`${namespace}/${name}`, map);
      return Promise.resolve(yes(shown(map)!));
    },
    recordEvent: (event) => {
      const not = refused<null>({ verb: 'recordEvent', event });
      if (not === undefined) events.push(event);
      return Promise.resolve(not ?? yes(null));
    },
  };

  const fake: FakeCluster = {
    api,
    calls,
    refuse: () => undefined,
    onGoing: () => undefined,
    onNode: () => undefined,
    setDra: (devices, claims) => {
      dra = { devices, claims };
      touch('dra');
    },
    world: {
      putNode: (said) => void putNode(aNode(said)),
      putPod: (said) => putPod(aPod(said)),
      removeNode: (name) => {
        nodes.delete(name);
        touch('nodes');
        return Promise.resolve();
      },
      removePod: (namespace, name) => {
        const key = `${namespace}/${name}`;
        const node = pods.get(key)?.node ?? null;
        pods.delete(key);
        touch('pods', node);
        return Promise.resolve();
      },
      forbidEviction: (namespace, label) => void budgets.push([namespace, label]),
      putConfigMap: (namespace, name, { labels = {}, data }) => {
        const map = { namespace, name, labels, data, resourceVersion: touch('dra'), ours: new Set<string>() };
        maps.set(`${namespace}/${name}`, map);
      },
      events: () => events.map(({ about, reason }) => [about.name, reason]),
    },
  };
  return fake;
}

function shown(
  map: (ConfigMapValue & { readonly ours: ReadonlySet<string> }) | undefined,
): ConfigMapValue | undefined {
  if (map === undefined) return undefined;
  const { namespace, name, resourceVersion, labels, data } = map;
  return { namespace, name, resourceVersion, labels, data };
}

function patched(node: ClusterNode, patch: NodePatch): ClusterNode {
  const { labels, annotations, cordoned, addTaints = [], removeTaints = [] } = patch;
  const isOneOf = (all: readonly { key: string; effect: string }[], one: { key: string; effect: string }) =>
    all.some(({ key, effect }) => key === one.key && effect === one.effect);
  const kept = node.taints.filter((one) => !isOneOf(removeTaints, one) && !isOneOf(addTaints, one));
  return {
    ...node,
    labels: merged(node.labels, labels),
    annotations: merged(node.annotations, annotations),
    isCordoned: cordoned ?? node.isCordoned,
    taints: [...kept, ...addTaints],
  };
}

function merged(
  before: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>> = {},
): Record<string, string> {
  const all: Record<string, string | null> = { ...before, ...changes };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}
