/**
 * Node pools of a managed cluster whose GPUs are cut when a node boots. A change of size is a new pool: `draft` says
 * what would be sent, `create` sends exactly that.
 */
import type { CloudRequest } from '#core/clouds/request';

export interface CloudRefusal {
  /**
   * `not-offered`: the cloud does not cut that; `not-found`, `name-taken`; `busy`: somebody else works on the cluster;
   * `quota`, `no-stock`: the cloud has no such machines for us, or none now; `timed-out`: still not done;
   * `unreachable`: no answer, and looking did not help; `failed`: it was begun and the cloud says that it failed.
   */
  readonly kind:
    | 'not-offered'
    | 'not-found'
    | 'name-taken'
    | 'busy'
    | 'quota'
    | 'no-stock'
    | 'forbidden'
    | 'invalid'
    | 'timed-out'
    | 'unreachable'
    | 'failed';
  readonly message: string;
  readonly next: string;
}

export type CloudAnswer<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: CloudRefusal };

/** What a node of the pool offers when it is right: whole GPUs where `profile` is `null`; counts include sharing. */
export interface PoolSlices {
  readonly profile: string | null;
  readonly perNode: number;
}

/** As the cloud counts: per zone on GKE, of the whole group on EKS. */
export interface PoolScaling {
  readonly minNodes: number;
  readonly maxNodes: number;
}

export interface PoolView {
  readonly name: string;
  /** `broken`: it is there, and the cloud says that something of it failed. */
  readonly state: 'making' | 'running' | 'changing' | 'going' | 'broken';
  /** What the cloud says about its state; `null`: nothing. */
  readonly message: string | null;
  readonly machineType: string | null;
  readonly gpusPerNode: number;
  /** `null`: not known, as of a group that others made. Empty: no GPUs. */
  readonly slices: readonly PoolSlices[] | null;
  readonly zones: readonly string[];
  /** Over all zones, as it was asked for. `null`: the cloud does not say. */
  readonly nodes: number | null;
  /** `null`: it keeps its size. */
  readonly scaling: PoolScaling | null;
  /** What its nodes get, as far as the pool says. */
  readonly labels: Readonly<Record<string, string>>;
  /** The label by which its nodes are found in the cluster. */
  readonly nodeLabel: { readonly key: string; readonly value: string };
}

export interface PoolWish {
  readonly name: string;
  /** The pool that it shall be like, but for the cut. `null`: like none, so that `machine` says what it is. */
  readonly like: string | null;
  readonly machine?: PoolMachine;
  /** A size for all GPUs; per GPU a layout, where the cloud can; `null`: whole. */
  readonly cut: string | readonly (readonly string[])[] | null;
  /** Pods per slice; 1: each its own. */
  readonly sharers: number;
  /** Over all zones; as many as the cloud can divide equally are made. */
  readonly nodes: number;
  /** Labels that mark the pool and its nodes. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface PoolMachine {
  readonly machineType: string;
  readonly zones: readonly string[];
  readonly scaling: PoolScaling | null;
  readonly spot: boolean;
}

export interface PoolDraft {
  readonly name: string;
  readonly requests: readonly CloudRequest[];
  readonly slices: readonly PoolSlices[];
  /** Over all zones. */
  readonly nodes: number;
  /** What its nodes will be labelled with, as far as that is known. */
  readonly labels: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

export interface CallOptions {
  readonly signal: AbortSignal;
  /** How it goes on, one sentence at a time. */
  readonly say: (what: string) => void;
}

export interface NodePools {
  /** For messages: `GKE cluster c1`. */
  readonly shown: string;
  readonly list: () => Promise<CloudAnswer<readonly PoolView[]>>;
  /** `null`: there is none. */
  readonly get: (name: string) => Promise<CloudAnswer<PoolView | null>>;
  /** Looks and judges; changes nothing. */
  readonly draft: (wish: PoolWish) => Promise<CloudAnswer<PoolDraft>>;
  /**
   * Ends when the cloud says that it is there. A pool of that name with the labels of the draft is taken as one that was
   * begun before: it is waited for, never made twice.
   */
  readonly create: (draft: PoolDraft, options: CallOptions) => Promise<CloudAnswer<PoolView>>;
  /** The pool no longer grows by itself; nothing happens to one that never did. */
  readonly holdScaling: (name: string, options: CallOptions) => Promise<CloudAnswer<null>>;
  /** It scales again, as the other pool does. */
  readonly restoreScaling: (name: string, like: string, options: CallOptions) => Promise<CloudAnswer<null>>;
  /** So many nodes over all zones; as the cloud can divide them. */
  readonly resize: (name: string, nodes: number, options: CallOptions) => Promise<CloudAnswer<null>>;
  /** Done where there is none. */
  readonly remove: (name: string, options: CallOptions) => Promise<CloudAnswer<null>>;
  /** What `holdScaling` and `remove` would send now. */
  readonly closing: (name: string) => Promise<CloudAnswer<readonly CloudRequest[]>>;
  /** What a node that does not get ready said while it booted; `null`: nothing that can be read. */
  readonly bootFailure: (node: string) => Promise<string | null>;
}
