/** Policies of a cluster, watched, and what is said of them written back. */
import type { MigPolicy, PolicyStatus, SeenPolicy } from '#core/cluster/policy/mig-policy';
import type { ApiAnswer, ApiRefusal } from './cluster-api.js';

export type { SeenPolicy };

export interface PolicyWatch {
  /** By name. */
  readonly policies: () => readonly SeenPolicy[];
  readonly version: () => number;
  /** As `ClusterWatch.changed`. A status that we wrote is no change. */
  readonly changed: (since: number, signal: AbortSignal) => Promise<void>;
  readonly trouble: () => ApiRefusal | null;
  readonly close: () => Promise<void>;
}

export interface MigPolicies {
  /** Resolves when the first list is there. Throws MicaError `no-policies-kind` where the cluster does not know MigPolicy. */
  readonly watch: (signal: AbortSignal) => Promise<PolicyWatch>;
  /** Only the status, and only of the policy with that uid. `nowMs` is for the conditions that turn with it. */
  readonly writeStatus: (
    policy: Pick<MigPolicy, 'name' | 'uid'>,
    status: PolicyStatus,
    nowMs: number,
  ) => Promise<ApiAnswer<null>>;
}
