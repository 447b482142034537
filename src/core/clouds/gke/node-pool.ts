/**
 * The fields of a GKE node pool that Mica reads or sets, as the Container API v1 spells them; the rest is carried along
 * as it is. Whole numbers of 64 bits are strings in the API's JSON.
 *
 * Source: messages of the Container API v1 in Google Cloud SDK 528.0.0 (2025-06-20).
 */
export interface GkeAccelerator {
  readonly acceleratorCount?: string;
  readonly acceleratorType?: string;
  readonly gpuPartitionSize?: string;
  readonly gpuSharingConfig?: {
    readonly gpuSharingStrategy?: string;
    readonly maxSharedClientsPerGpu?: string;
  };
  readonly gpuDriverInstallationConfig?: { readonly gpuDriverVersion?: string };
}

export interface GkeTaint {
  readonly key?: string;
  readonly value?: string;
  readonly effect?: string;
}

export interface GkeNodeConfig {
  readonly machineType?: string;
  readonly accelerators?: readonly GkeAccelerator[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly GkeTaint[];
  readonly oauthScopes?: readonly string[];
  readonly [field: string]: unknown;
}

/** `minNodeCount` and `maxNodeCount` are per zone, the totals are not. */
export interface GkeAutoscaling {
  readonly enabled?: boolean;
  readonly minNodeCount?: number;
  readonly maxNodeCount?: number;
  readonly totalMinNodeCount?: number;
  readonly totalMaxNodeCount?: number;
  readonly locationPolicy?: string;
  readonly autoprovisioned?: boolean;
}

export interface GkeNodePool {
  readonly name: string;
  /** Per zone. */
  readonly initialNodeCount?: number;
  readonly locations?: readonly string[];
  readonly config: GkeNodeConfig;
  readonly autoscaling?: GkeAutoscaling;
  readonly management?: { readonly autoRepair?: boolean; readonly autoUpgrade?: boolean };
  readonly version?: string;
  readonly [field: string]: unknown;
}

/** Where a cluster is. */
export interface GkeCluster {
  readonly project: string;
  /** A zone or a region. */
  readonly location: string;
  readonly cluster: string;
}

export function clusterPath({ project, location, cluster }: GkeCluster): string {
  return `projects/${project}/locations/${location}/clusters/${cluster}`;
}

/** The access scopes that gcloud gives to a node pool when the user names none (observed, gcloud 528). */
export const defaultScopes: readonly string[] = [
  'devstorage.read_only',
  'logging.write',
  'monitoring',
  'service.management.readonly',
  'servicecontrol',
  'trace.append',
].map((scope) => `https://www.googleapis.com/auth/${scope}`);
