/** A Pod as the API has it, as the few fields that Mica reads. */
import { z } from 'zod';
import type { ClusterPod, GpuResources, Toleration } from '#core/cluster/objects';
import type { Intern } from './interning.js';
import {
  annotationsOf,
  gpuResourcesOf,
  metadataFields,
  msOf,
  quantities,
  stringMap,
} from './object-fields.js';

const container = z.object({
  restartPolicy: z.string().nullish(),
  resources: z.object({ requests: quantities, limits: quantities }).nullish(),
});
type Container = z.infer<typeof container>;

const claimName = z.object({ resourceClaimName: z.string().nullish() });

const podShape = z.object({
  metadata: z.object({
    ...metadataFields,
    namespace: z.string().min(1),
    deletionTimestamp: z.string().nullish(),
    ownerReferences: z
      .array(
        z.object({ kind: z.string(), name: z.string(), uid: z.string(), controller: z.boolean().nullish() }),
      )
      .nullish(),
  }),
  spec: z
    .object({
      nodeName: z.string().nullish(),
      nodeSelector: stringMap,
      containers: z.array(container).nullish(),
      initContainers: z.array(container).nullish(),
      resourceClaims: z.array(claimName).nullish(),
      volumes: z
        .array(z.object({ emptyDir: z.object({ medium: z.string().nullish() }).nullish() }))
        .nullish(),
      tolerations: z
        .array(
          z.object({
            key: z.string().nullish(),
            operator: z.string().nullish(),
            value: z.string().nullish(),
            effect: z.string().nullish(),
          }),
        )
        .nullish(),
      terminationGracePeriodSeconds: z.number().nullish(),
      priority: z.number().nullish(),
    })
    .nullish(),
  status: z
    .object({
      phase: z.string().nullish(),
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().nullish(),
            message: z.string().nullish(),
            lastTransitionTime: z.string().nullish(),
          }),
        )
        .nullish(),
      resourceClaimStatuses: z.array(claimName).nullish(),
      extendedResourceClaimStatus: claimName.nullish(),
    })
    .nullish(),
});

/** `null`: it has nothing to do with GPUs. `isGpuNode`: whether all pods of a node matter. */
export function readPod(
  raw: unknown,
  isGpuNode: (node: string) => boolean,
  intern: Intern,
): ClusterPod | null {
  const { metadata, spec, status } = podShape.parse(raw);
  const node = spec?.nodeName ?? '';
  const wants = wantsOf(spec?.containers ?? [], spec?.initContainers ?? []);
  const claims = [
    ...(spec?.resourceClaims ?? []),
    ...(status?.resourceClaimStatuses ?? []),
    ...(status?.extendedResourceClaimStatus === null || status?.extendedResourceClaimStatus === undefined
      ? []
      : [status.extendedResourceClaimStatus]),
  ].flatMap(({ resourceClaimName }) => resourceClaimName ?? []);
  const hasClaims = claims.length > 0 || (spec?.resourceClaims ?? []).length > 0;
  if (Object.keys(wants).length === 0 && !hasClaims && !(node !== '' && isGpuNode(node))) return null;
  const conditions = status?.conditions ?? [];
  const unscheduled = conditions.find(
    (one) => one.type === 'PodScheduled' && one.status === 'False' && one.reason === 'Unschedulable',
  );
  const controller = (metadata.ownerReferences ?? []).find((owner) => owner.controller === true);
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    labels: intern(metadata.labels ?? {}),
    annotations: intern(annotationsOf(metadata.annotations)),
    node: node === '' ? null : node,
    phase: phaseOf(status?.phase),
    isReady: conditions.some((one) => one.type === 'Ready' && one.status === 'True'),
    isDeleting: typeof metadata.deletionTimestamp === 'string',
    controller:
      controller === undefined
        ? null
        : intern({ kind: controller.kind, name: controller.name, uid: controller.uid }),
    wants: intern(wants),
    claims: [...new Set(claims)],
    nodeSelector: intern(spec?.nodeSelector ?? {}),
    tolerations: intern((spec?.tolerations ?? []).map(tolerationOf)),
    graceSeconds: spec?.terminationGracePeriodSeconds ?? 30,
    priority: spec?.priority ?? 0,
    hasEmptyDir: (spec?.volumes ?? []).some(({ emptyDir }) => isOnDisk(emptyDir)),
    isMirror: metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined,
    createdMs: msOf(metadata.creationTimestamp),
    unschedulable:
      unscheduled === undefined
        ? null
        : { message: unscheduled.message ?? '', sinceMs: msOf(unscheduled.lastTransitionTime) },
  };
}

function isOnDisk(emptyDir: { readonly medium?: string | null | undefined } | null | undefined): boolean {
  return emptyDir !== null && emptyDir !== undefined && emptyDir.medium !== 'Memory';
}

function phaseOf(said: string | null | undefined): ClusterPod['phase'] {
  switch (said) {
    case 'Pending':
    case 'Running':
    case 'Succeeded':
    case 'Failed':
      return said;
    case undefined:
    case null:
    case '':
      return 'Pending';
    default:
      return 'Unknown';
  }
}

function tolerationOf({
  key,
  operator,
  value,
  effect,
}: {
  readonly key?: string | null | undefined;
  readonly operator?: string | null | undefined;
  readonly value?: string | null | undefined;
  readonly effect?: string | null | undefined;
}): Toleration {
  const orNull = (text: string | null | undefined): string | null =>
    text === undefined || text === '' ? null : text;
  return {
    key: orNull(key),
    operator: operator === 'Exists' ? 'Exists' : 'Equal',
    value: value ?? '',
    effect: orNull(effect),
  };
}

/**
 * As the scheduler counts: all containers and the sidecars run at once; an init container runs alone, but for the
 * sidecars that were started before it.
 */
function wantsOf(containers: readonly Container[], inits: readonly Container[]): GpuResources {
  const wants = sumOf(containers.map(ofContainer));
  let sidecars: GpuResources = {};
  let most: GpuResources = {};
  for (const init of inits) {
    const own = ofContainer(init);
    if (init.restartPolicy === 'Always') sidecars = sumOf([sidecars, own]);
    else most = mostOf(most, sumOf([sidecars, own]));
  }
  const all = mostOf(sumOf([wants, sidecars]), most);
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0));
}

function ofContainer({ resources }: Container): GpuResources {
  return { ...gpuResourcesOf(resources?.limits), ...gpuResourcesOf(resources?.requests) };
}

function sumOf(all: readonly GpuResources[]): GpuResources {
  const sum: Record<string, number> = {};
  for (const one of all)
    for (const [name, count] of Object.entries(one)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

function mostOf(one: GpuResources, other: GpuResources): GpuResources {
  const most: Record<string, number> = { ...one };
  for (const [name, count] of Object.entries(other)) most[name] = Math.max(most[name] ?? 0, count);
  return most;
}
