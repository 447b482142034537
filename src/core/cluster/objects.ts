/** What Mica reads of a Kubernetes cluster, as plain values: only what concerns GPUs and who uses them. */

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

/** Counts of extended resources: `nvidia.com/gpu`, `nvidia.com/mig-1g.24gb`, … A key that is absent is not a 0. */
export type GpuResources = Readonly<Record<string, number>>;

export interface ClusterNode {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly isReady: boolean;
  /** `spec.unschedulable`. */
  readonly isCordoned: boolean;
  /** The kubelet keeps resources that are gone with a capacity and 0 allocatable: both are compared. */
  readonly capacity: GpuResources;
  readonly allocatable: GpuResources;
  readonly createdMs: number;
}

export interface Toleration {
  readonly key: string | null;
  readonly operator: 'Exists' | 'Equal';
  readonly value: string;
  /** `null`: every effect. */
  readonly effect: string | null;
}

export interface ClusterPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** `null`: not scheduled. */
  readonly node: string | null;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly isReady: boolean;
  readonly isDeleting: boolean;
  readonly controller: { readonly kind: string; readonly name: string; readonly uid: string } | null;
  /** What the scheduler counts: containers together, or one init container where that is more. */
  readonly wants: GpuResources;
  /** Names of its ResourceClaims, as the pod's status says. */
  readonly claims: readonly string[];
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  readonly graceSeconds: number;
  readonly priority: number;
  /** A volume on the node's disk that is gone when the pod is. Shared memory is none. */
  readonly hasEmptyDir: boolean;
  /** Made by the kubelet of its node from a file: nobody can evict it. */
  readonly isMirror: boolean;
  readonly createdMs: number;
  /** Why the scheduler has no node for it; `null`: it does not say. */
  readonly unschedulable: { readonly message: string; readonly sinceMs: number } | null;
}

/** A device that a DRA driver offers, or a claim took. */
export interface DraDevice {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
  readonly node: string | null;
  /** Names without their domain: `type`, `profile`, `productName`, … */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Some claim has it. */
  readonly taken: boolean;
}

export interface DraClaim {
  readonly namespace: string;
  readonly name: string;
  /** `driver/pool/device`. */
  readonly devices: readonly string[];
  readonly reservedFor: readonly string[];
}

export interface ClusterState {
  readonly nodes: readonly ClusterNode[];
  /** Pods that want GPUs, and those that run on GPU nodes. */
  readonly pods: readonly ClusterPod[];
  /** `null`: the cluster has no DRA, or we may not read it. */
  readonly dra: { readonly devices: readonly DraDevice[]; readonly claims: readonly DraClaim[] } | null;
}
