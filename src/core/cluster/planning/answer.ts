/** What a plan for a cluster says: nodes that are cut anew, pods that move, pools that grow or go, money, and why. */
import type { Plan, PlanCost } from '#core/plan/plan';
import type { Partitioner } from '../gpu-node.js';

/** Slices by profile; whole GPUs as `whole`. */
export type SliceCounts = Readonly<Record<string, number>>;

/** A node that is cut anew where it stands. */
export interface NodeChange {
  readonly node: string;
  readonly pool: string | null;
  readonly model: string;
  readonly gpus: number;
  readonly before: SliceCounts;
  readonly after: SliceCounts;
  /** Workloads in its slices afterwards, with their pods. */
  readonly users: Readonly<Record<string, number>>;
}

/** A running pod that loses its slice, and where there is one for it afterwards. */
export interface PodMove {
  readonly namespace: string;
  readonly name: string;
  readonly workload: string;
  readonly from: string;
  /** A node, or a pool that is made or grows. */
  readonly to: string;
  readonly slice: string;
  readonly why: string;
}

/** Pending pods that get a place. */
export interface Seated {
  readonly workload: string;
  readonly slice: string;
  readonly count: number;
  /** Nodes, or pools that are made or grow. */
  readonly on: readonly string[];
  /** The slices are there already: something else keeps the pods waiting, or they were not looked at yet. */
  readonly isThere: boolean;
}

/** Nodes of one machine type and size that come or go. */
export interface PoolChange {
  readonly action: 'add' | 'grow' | 'shrink' | 'drop';
  readonly pool: string;
  /** Of one that is added: the pool whose nodes its own are like, labels and taints too, but for the size. */
  readonly like: string | null;
  readonly partitioner: Partitioner;
  readonly machineType: string | null;
  /** GKE: the size of its slices; `null`: whole GPUs. Of other pools every node says its own. */
  readonly size: string | null;
  readonly nodes: { readonly before: number; readonly after: number };
  /** Nodes that go. */
  readonly leaving: readonly string[];
}

/** A workload that has to ask for another slice than it does. */
export interface RequestChange {
  readonly workload: string;
  readonly pods: number;
  readonly from: string;
  readonly to: string;
}

export interface ClusterPlan {
  readonly schema: 'mica/cluster-plan@1';
  /** `stuck`: something pends, and nothing that may be changed would help. */
  readonly verdict: 'nothing-to-do' | 'change' | 'stuck';
  readonly summary: string;
  readonly nodes: readonly NodeChange[];
  readonly moves: readonly PodMove[];
  readonly seated: readonly Seated[];
  readonly unplaced: readonly { readonly workload: string; readonly count: number; readonly why: string }[];
  readonly requests: readonly RequestChange[];
  readonly pools: readonly PoolChange[];
  /** Nodes that no pod with GPUs is on afterwards. */
  readonly idle: readonly string[];
  readonly cost: { readonly now: PlanCost; readonly after: PlanCost };
  /** The nodes that are cut anew, as `mica cluster apply` takes it; `null`: none. */
  readonly plan: Plan | null;
  /** The machines that are made, as emitters take it; `null`: none. */
  readonly machines: Plan | null;
  readonly notes: readonly string[];
}
