/** The gcloud command that makes a node pool, read off the request: what gcloud has no flag for is named. */
import {
  clusterPath,
  defaultScopes,
  type GkeAccelerator,
  type GkeCluster,
  type GkeNodePool,
} from './node-pool.js';
import type { CloudRequest } from '../request.js';

/** `POST v1/{parent}/nodePools`. */
export function createPool(place: GkeCluster, nodePool: GkeNodePool): CloudRequest {
  const parent = clusterPath(place);
  return {
    method: 'POST',
    path: `v1/${parent}/nodePools`,
    body: { parent, nodePool },
    ...gcloudCreate(place, nodePool),
  };
}

/** Values of a field as flags; fields that are not here have none, or none that says the same. */
type Flags = (value: never) => readonly string[];

const poolFlags: Readonly<Record<string, Flags>> = {
  name: () => [],
  locations: (zones: readonly string[]) => [`--node-locations=${zones.join()}`],
  initialNodeCount: (nodes: number) => [`--num-nodes=${nodes}`],
  version: (version: string) => [`--node-version=${version}`],
  management: (value: { readonly autoRepair?: boolean; readonly autoUpgrade?: boolean }) => [
    ...(value.autoUpgrade === true ? [] : ['--no-enable-autoupgrade']),
    ...(value.autoRepair === true ? [] : ['--no-enable-autorepair']),
  ],
  maxPodsConstraint: (value: { readonly maxPodsPerNode?: string }) =>
    value.maxPodsPerNode === undefined ? [] : [`--max-pods-per-node=${value.maxPodsPerNode}`],
};

const upgradeFlags: Readonly<Record<string, Flags>> = {
  // gcloud's own default.
  maxSurge: (count: number) => (count === 1 ? [] : [`--max-surge-upgrade=${count}`]),
  maxUnavailable: (count: number) => (count === 0 ? [] : [`--max-unavailable-upgrade=${count}`]),
};

const autoscalingFlags: Readonly<Record<string, Flags>> = {
  enabled: (enabled: boolean) => (enabled ? ['--enable-autoscaling'] : []),
  minNodeCount: (count: number) => [`--min-nodes=${count}`],
  maxNodeCount: (count: number) => [`--max-nodes=${count}`],
  totalMinNodeCount: (count: number) => [`--total-min-nodes=${count}`],
  totalMaxNodeCount: (count: number) => [`--total-max-nodes=${count}`],
  locationPolicy: (policy: string) => [`--location-policy=${policy}`],
};

const configFlags: Readonly<Record<string, Flags>> = {
  machineType: (type: string) => [`--machine-type=${type}`],
  accelerators: (all: readonly GkeAccelerator[]) => all.slice(0, 1).map(acceleratorFlag),
  labels: (all: Readonly<Record<string, string>>) => mapFlag('node-labels', all),
  metadata: (all: Readonly<Record<string, string>>) => mapFlag('metadata', all),
  resourceLabels: (all: Readonly<Record<string, string>>) => mapFlag('labels', all),
  taints: (all: readonly { readonly key?: string; readonly value?: string; readonly effect?: string }[]) =>
    all.length === 0
      ? []
      : [
          `--node-taints=${all.map((one) => `${one.key}=${one.value ?? ''}:${effectOf(one.effect ?? '')}`).join()}`,
        ],
  tags: (tags: readonly string[]) => (tags.length === 0 ? [] : [`--tags=${tags.join()}`]),
  oauthScopes: (scopes: readonly string[]) =>
    JSON.stringify(scopes) === JSON.stringify(defaultScopes) ? [] : [`--scopes=${scopes.join()}`],
  serviceAccount: (account: string) => [`--service-account=${account}`],
  diskSizeGb: (size: number) => [`--disk-size=${size}`],
  diskType: (type: string) => [`--disk-type=${type}`],
  imageType: (type: string) => [`--image-type=${type}`],
  spot: (spot: boolean) => (spot ? ['--spot'] : []),
  preemptible: (preemptible: boolean) => (preemptible ? ['--preemptible'] : []),
  minCpuPlatform: (platform: string) => [`--min-cpu-platform=${platform}`],
  bootDiskKmsKey: (key: string) => [`--boot-disk-kms-key=${key}`],
  shieldedInstanceConfig: (value: {
    readonly enableSecureBoot?: boolean;
    readonly enableIntegrityMonitoring?: boolean;
  }) => [
    ...(value.enableSecureBoot === true ? ['--shielded-secure-boot'] : []),
    ...(value.enableIntegrityMonitoring === true ? ['--shielded-integrity-monitoring'] : []),
  ],
  workloadMetadataConfig: (value: { readonly mode?: string }) =>
    value.mode === undefined ? [] : [`--workload-metadata=${value.mode}`],
  reservationAffinity: (value: {
    readonly consumeReservationType?: string;
    readonly values?: readonly string[];
  }) => {
    const kind = reservations[value.consumeReservationType ?? ''];
    const named = (value.values ?? []).map((name) => `--reservation=${name}`);
    return kind === undefined ? [] : [`--reservation-affinity=${kind}`, ...named];
  },
  gvnic: (value: { readonly enabled?: boolean }) => (value.enabled === true ? ['--enable-gvnic'] : []),
  gcfsConfig: (value: { readonly enabled?: boolean }) =>
    value.enabled === true ? ['--enable-image-streaming'] : [],
};

const reservations: Readonly<Record<string, string>> = {
  NO_RESERVATION: 'none',
  ANY_RESERVATION: 'any',
  SPECIFIC_RESERVATION: 'specific',
};

function gcloudCreate(place: GkeCluster, pool: GkeNodePool): Pick<CloudRequest, 'command' | 'unsaid'> {
  const { initialNodeCount, locations, config, autoscaling, upgradeSettings, ...rest } = pool;
  const unsaid: string[] = [];
  const flags = (
    said: object | undefined,
    table: Readonly<Record<string, Flags>>,
    prefix: string,
  ): string[] =>
    Object.entries(said ?? {}).flatMap(([field, value]) => {
      const flag = Object.hasOwn(table, field) ? table[field] : undefined;
      if (flag === undefined) unsaid.push(`${prefix}${field}`);
      return [...(flag?.(value as never) ?? [])];
    });
  const command = [
    ...['gcloud', 'container', 'node-pools', 'create', pool.name],
    `--project=${place.project}`,
    `--cluster=${place.cluster}`,
    `--location=${place.location}`,
    ...flags(locations === undefined ? {} : { locations }, poolFlags, ''),
    ...flags(config, configFlags, 'config.'),
    ...flags(initialNodeCount === undefined ? {} : { initialNodeCount }, poolFlags, ''),
    ...flags(autoscaling, autoscalingFlags, 'autoscaling.'),
    ...flags(rest, poolFlags, ''),
    ...flags(upgradeSettings as object | undefined, upgradeFlags, 'upgradeSettings.'),
  ];
  return { command, unsaid };
}

function acceleratorFlag(one: GkeAccelerator): string {
  const parts: readonly (readonly [string, string | undefined])[] = [
    ['type', one.acceleratorType],
    ['count', one.acceleratorCount],
    ['gpu-partition-size', one.gpuPartitionSize],
    ['gpu-sharing-strategy', one.gpuSharingConfig?.gpuSharingStrategy?.toLowerCase().replace('_', '-')],
    ['max-shared-clients-per-gpu', one.gpuSharingConfig?.maxSharedClientsPerGpu],
    ['gpu-driver-version', drivers[one.gpuDriverInstallationConfig?.gpuDriverVersion ?? '']],
  ];
  return `--accelerator=${parts.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`])).join()}`;
}

const drivers: Readonly<Record<string, string>> = {
  DEFAULT: 'default',
  LATEST: 'latest',
  INSTALLATION_DISABLED: 'disabled',
};

/** `NO_SCHEDULE` is `NoSchedule` on the command line. */
function effectOf(effect: string): string {
  const words = effect.toLowerCase().split('_');
  return words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('');
}

function mapFlag(flag: string, all: Readonly<Record<string, string>>): readonly string[] {
  const pairs = Object.entries(all).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? [] : [`--${flag}=${pairs.join()}`];
}
