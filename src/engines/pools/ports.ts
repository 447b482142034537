/** What a change of node pools takes from the world, what it may do, and what it answers. */
import type { CloudRequest } from '#core/clouds/request';
import type { Clock } from '#ports/clock';
import type { ClusterApi } from '#ports/cluster-api';
import type { NodePods } from '#ports/node-pods';
import type { NodePools, PoolSlices } from '#ports/node-pools';

export interface PoolPorts {
  readonly pools: NodePools;
  readonly cluster: Pick<ClusterApi, 'read' | 'patchNode' | 'evict'> & NodePods;
  readonly clock: Clock;
}

export interface PoolChange {
  readonly pool: string;
  /** A size for all GPUs, a layout per GPU where the cloud can, or `null`: whole. */
  readonly cut: string | readonly (readonly string[])[] | null;
  readonly sharers: number;
  /** Left out: as many as there are. */
  readonly nodes?: number;
  /** Of the new pool; left out: after the old one and the size. */
  readonly name?: string;
}

export interface PoolChangeOptions {
  readonly signal: AbortSignal;
  readonly say: (what: string) => void;
  /** Look and judge, and say what would be sent. */
  readonly dryRun?: boolean;
  /** For the new nodes to come and be cut. */
  readonly readyTimeoutMs?: number;
  /** For the pods of the old nodes to go, PodDisruptionBudgets respected. */
  readonly drainTimeoutMs?: number;
  /** Go on where pods would find no place afterwards. */
  readonly leavePending?: boolean;
  /** Evict pods that no controller makes again. */
  readonly evictBare?: boolean;
}

export interface PoolProblem {
  readonly message: string;
  readonly next: string;
}

export interface PoolAnswer {
  /** `failed`: neither changed nor brought back; `left` says what there is. */
  readonly outcome: 'unchanged' | 'planned' | 'done' | 'rolled-back' | 'refused' | 'failed';
  readonly pool: string;
  /** `null`: it was not drafted. */
  readonly newPool: string | null;
  readonly slices: readonly PoolSlices[] | null;
  readonly why?: PoolProblem;
  readonly left: readonly string[];
  /** Pods that were told to go. */
  readonly evicted: readonly string[];
  /** What is sent to the cloud, in order. */
  readonly requests: readonly CloudRequest[];
  readonly notes: readonly string[];
}

/** An expected end of a step. */
export type StepAnswer = { readonly ok: true } | { readonly ok: false; readonly why: PoolProblem };

/** Beside the new pool's other labels: what it replaces, so that a change that was broken off is found again. */
export const replacesLabel = 'mica.dev/replaces';
/** On nodes that Mica cordoned for a change: nobody else's cordon is ever taken away. */
export const cordonedFor = 'mica.dev/cordoned-for';
