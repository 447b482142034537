/**
 * A Kubernetes cluster as Mica needs it: looked at whole, watched, and changed by small patches of our own keys. Whoever
 * may not do something gets an answer that says so, never an empty list.
 */
import type { ClusterNode, ClusterPod, ClusterState } from '#core/cluster/objects';

export interface ApiRefusal {
  /**
   * `conflict`: somebody changed it meanwhile (409); `too-many`: later (429); `forbidden`: 401, 403; `gone`: there is
   * no such object (404), or another of the same name; `owned`: a field is somebody else's (409 of a server-side apply);
   * `invalid`: the server does not take it (400, 422);
   * `unreachable`: no answer, or 5xx: whether it was done is not known.
   */
  readonly kind: 'conflict' | 'owned' | 'too-many' | 'forbidden' | 'gone' | 'invalid' | 'unreachable';
  readonly message: string;
  /** As the server asks; `null`: it does not. */
  readonly retryAfterMs: number | null;
}

export type ApiAnswer<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: ApiRefusal };

/** Of one node; what is left out stays. `null` removes a key. */
export interface NodePatch {
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
  readonly cordoned?: boolean;
  /** Whole taints by key and effect. */
  readonly addTaints?: readonly { readonly key: string; readonly value: string; readonly effect: string }[];
  readonly removeTaints?: readonly { readonly key: string; readonly effect: string }[];
}

export interface PodName {
  readonly namespace: string;
  readonly name: string;
  /** Another pod of the same name is not meant. */
  readonly uid: string;
  /** Only where it did not change since: not where somebody else told it to go meanwhile. */
  readonly resourceVersion?: string;
}

export interface ClusterEvent {
  readonly about: {
    readonly kind: string;
    readonly namespace: string | null;
    readonly name: string;
    readonly uid: string;
  };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface ConfigMapValue {
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
}

/** A view that is kept up to date: list, then watch, resumed where it broke, listed again where it cannot be. */
export interface ClusterWatch {
  /** The latest that is known; equal objects keep their identity between two looks. */
  readonly state: () => ClusterState;
  readonly node: (name: string) => ClusterNode | null;
  readonly podsOn: (node: string) => readonly ClusterPod[];
  /**
   * Resolves when something changed after `since`, a number that `version` gave; also, and without an error, when the
   * signal aborts or the watch is closed.
   */
  readonly changed: (since: number, signal: AbortSignal) => Promise<void>;
  readonly version: () => number;
  /**
   * What keeps the view from being up to date, as credentials that ran out; `null`: nothing that we know of. That it
   * comes or goes is a change.
   */
  readonly trouble: () => ApiRefusal | null;
  readonly close: () => Promise<void>;
}

export interface ClusterApi {
  /** One whole look. Throws MicaError where the cluster does not answer or nodes may not be read. */
  readonly read: (signal: AbortSignal) => Promise<ClusterState>;
  /** Resolves when the first lists are there. */
  readonly watch: (signal: AbortSignal) => Promise<ClusterWatch>;
  readonly getNode: (name: string) => Promise<ApiAnswer<ClusterNode>>;
  /** With `resourceVersion`: only where nobody changed the node since. */
  readonly patchNode: (
    name: string,
    patch: NodePatch,
    resourceVersion?: string,
  ) => Promise<ApiAnswer<ClusterNode>>;
  /**
   * `too-many`: a PodDisruptionBudget does not allow it now. `gone`: there is no such pod any more, or it is on its way.
   */
  readonly evict: (pod: PodName, graceSeconds: number | null) => Promise<ApiAnswer<null>>;
  /** For pods of the GPU Operator itself that wedge; never for pods of users. */
  readonly deletePod: (pod: PodName) => Promise<ApiAnswer<null>>;
  readonly getConfigMap: (namespace: string, name: string) => Promise<ApiAnswer<ConfigMapValue | null>>;
  readonly listConfigMaps: (
    namespace: string,
    labelSelector: string,
  ) => Promise<ApiAnswer<readonly ConfigMapValue[]>>;
  /**
   * Server-side apply of the keys given, as field manager `mica`: other keys of the map stay. With `resourceVersion`: only
   * where nobody changed the map since.
   */
  readonly applyConfigMap: (
    namespace: string,
    name: string,
    data: Readonly<Record<string, string>>,
    resourceVersion?: string,
  ) => Promise<ApiAnswer<ConfigMapValue>>;
  readonly recordEvent: (event: ClusterEvent) => Promise<ApiAnswer<null>>;
}
