/** A Node as the API has it, as the few fields that Mica reads. */
import { z } from 'zod';
import type { ClusterNode } from '#core/cluster/objects';
import type { Intern } from './interning.js';
import { annotationsOf, gpuResourcesOf, metadataFields, msOf, quantities } from './object-fields.js';

const nodeShape = z.object({
  metadata: z.object(metadataFields),
  spec: z
    .object({
      unschedulable: z.boolean().nullish(),
      taints: z
        .array(z.object({ key: z.string(), value: z.string().nullish(), effect: z.string() }))
        .nullish(),
    })
    .nullish(),
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish(),
      capacity: quantities,
      allocatable: quantities,
    })
    .nullish(),
});

export function readNode(raw: unknown, intern: Intern): ClusterNode {
  const { metadata, spec, status } = nodeShape.parse(raw);
  const isReady = (status?.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True');
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    labels: intern(metadata.labels ?? {}),
    annotations: intern(annotationsOf(metadata.annotations)),
    taints: intern(
      (spec?.taints ?? []).map(({ key, value, effect }) => ({ key, value: value ?? '', effect })),
    ),
    isReady,
    isCordoned: spec?.unschedulable === true,
    capacity: intern(gpuResourcesOf(status?.capacity)),
    allocatable: intern(gpuResourcesOf(status?.allocatable)),
    createdMs: msOf(metadata.creationTimestamp),
  };
}
