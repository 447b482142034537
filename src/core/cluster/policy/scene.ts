/** What the controller has before its eyes when it decides. */
import type { ClusterPlanAnswer, ClusterPlanOptions } from '../planning/plan-cluster.js';
import { usesGpus } from '../operator/disturbed.js';
import type { ClusterPod, ClusterState } from '../objects.js';
import type { Hold } from './hold.js';
import type { SeenPolicy } from './mig-policy.js';
import type { Selected } from './selection.js';
import type { WindowsNow } from './windows.js';

export type Planner = (
  state: ClusterState,
  options: Pick<ClusterPlanOptions, 'target' | 'rulesOf'>,
) => ClusterPlanAnswer;

export interface Scene {
  readonly nowMs: number;
  readonly state: ClusterState;
  readonly policies: readonly SeenPolicy[];
  /** Nodes that said no, or where it went wrong: they are left alone for a while. */
  readonly refusals: ReadonlyMap<string, Hold>;
  /** Nodes that this process is changing. */
  readonly running: ReadonlySet<string>;
  readonly plan: Planner;
  /** Nothing is begun, as if every policy said `Recommend`. */
  readonly isRehearsal: boolean;
}

/** A plan that came out. */
export type Planned = Extract<ClusterPlanAnswer, { readonly ok: true }>;

/** A policy that is followed, and how it stands. */
export interface Standing extends Selected {
  readonly isActing: boolean;
  readonly windows: WindowsNow;
}

export function isWaiting(pod: ClusterPod): boolean {
  return pod.node === null && pod.phase === 'Pending' && !pod.isDeleting && usesGpus(pod);
}
