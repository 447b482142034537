/** What may be done with a group of nodes, by whom nobody is watching: the custom resource MigPolicy, as a value. */

export interface MigPolicySpec {
  /** Of labels, all of them; none: every node that the backend cuts. */
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly backend: 'gpu-operator' | 'gke';
  /** `Recommend` only says what it would do. */
  readonly mode: 'Recommend' | 'Auto';
  /** GPUs are cut into nothing else; `whole`: they may also be whole. `null`: into whatever serves. */
  readonly allowedProfiles: readonly string[] | null;
  /** Nodes out of service at once, those included that others took away. */
  readonly maxUnavailable: number;
  /** `Never`: only GPUs of nodes where no pod has one are cut anew. */
  readonly evictions: 'Never' | 'Allowed';
  /** A pod must have waited for so long before anything is cut for it. */
  readonly pendingMs: number;
  /** A node stays as it was cut for at least so long. */
  readonly cooldownMs: number;
  /** Nothing is begun outside of them; none: any time. */
  readonly maintenanceWindows: readonly MaintenanceWindow[];
}

export type Weekday = 'Mon' | 'Tue' | 'Wed' | 'Thu' | 'Fri' | 'Sat' | 'Sun';

export interface MaintenanceWindow {
  /** On which it begins; none: every day. */
  readonly days: readonly Weekday[];
  /** `22:00`, by the clocks of the time zone. */
  readonly start: string;
  readonly durationMinutes: number;
  /** IANA name. */
  readonly timeZone: string;
}

export interface MigPolicy {
  readonly name: string;
  readonly uid: string;
  /** Of the spec; the server counts. */
  readonly generation: number;
  readonly createdMs: number;
  readonly spec: MigPolicySpec;
}

export type ConditionType =
  /** The policy can be followed, and there are nodes for it. */
  | 'Ready'
  /** Nobody waits for a slice that its nodes could have. */
  | 'Satisfied'
  /** Nodes are being cut. `False`: the reason says what it waits for. */
  | 'Progressing'
  /** Nodes are out of service and need a person. */
  | 'Degraded';

export interface PolicyCondition {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
}

/** A node that would be cut anew, or is. */
export interface NodeAdvice {
  readonly node: string;
  /** `2 x 1g.24gb, 1 x 2g.48gb`. */
  readonly before: string;
  readonly after: string;
}

/** All that a policy says of itself; times of conditions are the adapter's business. */
export interface PolicyStatus {
  readonly observedGeneration: number;
  /** That it selects and that have GPUs. */
  readonly nodes: number;
  /** Pods without a place that its nodes could serve. */
  readonly waitingPods: number;
  /** Nodes out of service that need a person. */
  readonly stuckNodes: number;
  readonly conditions: readonly PolicyCondition[];
  /** What it would do, or does next; `null`: nothing. */
  readonly recommendation: {
    readonly summary: string;
    readonly nodes: readonly NodeAdvice[];
    /** Running pods that would be evicted. */
    readonly movedPods: number;
    readonly unplaced: readonly { readonly workload: string; readonly count: number; readonly why: string }[];
  } | null;
  readonly lastChange: {
    readonly node: string;
    readonly outcome: string;
    readonly message: string;
    readonly atMs: number;
  } | null;
}

/** A policy as it stands in the cluster. What the CRD lets through and we cannot follow is said, never guessed. */
export type SeenPolicy =
  | { readonly ok: true; readonly policy: MigPolicy; readonly status: PolicyStatus | null }
  | {
      readonly ok: false;
      readonly policy: Pick<MigPolicy, 'name' | 'uid' | 'generation' | 'createdMs'>;
      readonly why: string;
      readonly status: PolicyStatus | null;
    };
