/** What a change of nodes answers: per node what became of it, whom it moved, and why it ended as it did. */
import type { NodeRefusal } from '#core/cluster/operator/judge-node';
import type { TroubleKind } from '#core/cluster/operator/troubles';

export type NodeOutcomeKind = 'unchanged' | 'done' | 'rolled-back' | 'refused' | 'failed';

export interface NodeWhy {
  readonly kind:
    | NodeRefusal
    | TroubleKind
    /** There is no such node, or it went away. */
    | 'no-node'
    /** The API server does not answer: what is on the node says how far it is. */
    | 'unreachable'
    | 'forbidden'
    | 'interrupted'
    /** Somebody took our record off the node. */
    | 'record-removed'
    /** Another run ended the change so. */
    | 'other-run'
    /** A node before it did not get there, or too many are out of service. */
    | 'other-node'
    | 'no-time';
  readonly message: string;
  readonly next?: string;
}

export interface NodeOutcome {
  readonly node: string;
  readonly outcome: NodeOutcomeKind;
  /** The value of `nvidia.com/mig.config` that it has got, or would get. */
  readonly config?: string;
  /** GPUs that were cut anew, or would be. */
  readonly gpus?: readonly number[];
  /** Pods that were asked to leave, or would be, as `namespace/name`. */
  readonly evicted?: readonly string[];
  readonly notes?: readonly string[];
  readonly why?: NodeWhy;
}

export interface NodesAnswer {
  readonly outcome: NodeOutcomeKind;
  readonly nodes: readonly NodeOutcome[];
}

const badFirst: readonly NodeOutcomeKind[] = ['failed', 'rolled-back', 'refused', 'done', 'unchanged'];

/** The outcome of the whole: the worst of its nodes. */
export function worstOf(nodes: readonly Pick<NodeOutcome, 'outcome'>[]): NodeOutcomeKind {
  return badFirst.find((outcome) => nodes.some((node) => node.outcome === outcome)) ?? 'unchanged';
}

export function noRoom(away: readonly string[], most: number): NodeWhy {
  const names = away.slice(0, 5).join(', ');
  const message =
    away.length === 0
      ? `no more than ${most} nodes may be out of service, and other runs take them`
      : `no more than ${most} nodes may be out of service, and ${names} ${away.length === 1 ? 'is' : 'are'}`;
  const next =
    'Give those back first (mica cluster show says why they are away), or raise --max-unavailable.';
  return { kind: 'other-node', message, next };
}
