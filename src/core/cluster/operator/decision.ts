/** What is to be done next about a node whose GPUs change: one call, a wait, or an end. */
import type { ClusterNode, ClusterPod } from '../objects.js';
import type { GpuHolders } from './disturbed.js';
import type { Trouble } from './troubles.js';

/** The node as it is now, and what this process remembers of it. */
export interface NodeView {
  readonly nowMs: number;
  readonly node: ClusterNode;
  readonly pods: readonly ClusterPod[];
  /** Pods that nobody would make again may be ended. */
  readonly mayEndBare: boolean;
  /** The ConfigMap holds the entry that is wanted. */
  readonly hasEntry: boolean;
  readonly holders: GpuHolders;
  readonly operatorNamespace: string;
  /** Pods that were asked to leave, by uid, and when they may be asked again; Infinity: they said yes. */
  readonly asked: ReadonlyMap<string, { readonly againMs: number; readonly said: string | null }>;
  /** Since when the node is seen as ready or not and with the state label that it has. */
  readonly stateSinceMs: number;
  /** The cluster refuses something that is needed, for good. */
  readonly blocked: string | null;
}

/** Keys of the node that change; what is left out stays, `null` removes. */
export interface NodeEdit {
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
  readonly cordoned?: boolean;
  readonly removeTaints?: readonly { readonly key: string; readonly effect: string }[];
}

export type Ending =
  { readonly outcome: 'done' } | { readonly outcome: 'rolled-back' | 'failed'; readonly why: Trouble };

export type Decision =
  /** Only where nobody changed the node since it was looked at. `ends`: when it is done, the change is at its end. */
  | {
      readonly kind: 'edit-node';
      readonly edit: NodeEdit;
      readonly says: string;
      readonly ends?: Ending;
      /** The node goes out of service. */ readonly begins?: boolean;
    }
  | { readonly kind: 'write-config'; readonly says: string }
  | { readonly kind: 'evict'; readonly pod: ClusterPod; readonly says: string }
  | {
      readonly kind: 'delete-pod';
      readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
      readonly says: string;
    }
  | { readonly kind: 'wait'; readonly untilMs: number; readonly says: string }
  | { readonly kind: 'end'; readonly ending: Ending };
