/** What the controller tells of itself while it runs: logs and metrics are made of it. */
import type { NodeOutcomeKind } from '../cluster/answer.js';

export type News =
  /** It holds the lease, and has the cluster in view. */
  | { readonly kind: 'leading' }
  | { readonly kind: 'following'; readonly holder: string }
  /** It no longer leads; the changes that it was at are gone on with by whoever leads next. */
  | { readonly kind: 'stepped-down'; readonly why: string }
  /** It looked at what there is, and is waiting for something to change: a sign of life. */
  | { readonly kind: 'turn'; readonly policies: readonly PolicyFigures[]; readonly changing: number }
  | { readonly kind: 'planned'; readonly tookMs: number; readonly verdict: string }
  | { readonly kind: 'change-began'; readonly node: string; readonly policy: string; readonly to: string }
  | { readonly kind: 'progress'; readonly node: string; readonly says: string }
  | {
      readonly kind: 'change-ended';
      readonly node: string;
      readonly policy: string;
      readonly outcome: NodeOutcomeKind;
      readonly message: string;
      readonly tookMs: number;
      /** Pods that were asked to leave. */
      readonly evicted: number;
    }
  /** A policy says something else than before. */
  | { readonly kind: 'advice'; readonly policy: string; readonly says: string }
  /** What keeps it from seeing or acting, and what it does not die of. */
  | { readonly kind: 'trouble'; readonly message: string };

export interface PolicyFigures {
  readonly policy: string;
  readonly nodes: number;
  readonly waitingPods: number;
  /** Nodes out of service that need a person. */
  readonly stuckNodes: number;
}
