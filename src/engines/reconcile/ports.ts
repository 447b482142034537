/** What the controller needs of the world. */
import type { ClusterPlanAnswer, ClusterPlanOptions } from '#core/cluster/planning/plan-cluster';
import type { ClusterState } from '#core/cluster/objects';
import type { GpuHolders } from '#core/cluster/operator/disturbed';
import type { ClusterApi } from '#ports/cluster-api';
import type { LeaderLease } from '#ports/leader-lease';
import type { MigPolicies } from '#ports/mig-policies';
import type { ClusterPorts } from '../cluster/ports.js';

export interface ReconcilePorts extends ClusterPorts {
  readonly cluster: Pick<ClusterApi, 'watch'>;
  readonly policies: MigPolicies;
  readonly lease: LeaderLease;
  /** The planner, with its solver and prices. */
  readonly plan: (
    state: ClusterState,
    options: Pick<ClusterPlanOptions, 'target' | 'rulesOf' | 'timeLimitMs'>,
  ) => ClusterPlanAnswer;
  /** Which pods of these nodes hold which GPUs, as far as somebody says; never fails. */
  readonly holders: (
    state: ClusterState,
    nodes: readonly string[],
    signal: AbortSignal,
  ) => Promise<GpuHolders>;
}
