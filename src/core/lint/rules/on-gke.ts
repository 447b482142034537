/** GKE cuts nodes itself, and offers every slice as `nvidia.com/gpu`: sizes are node labels. */
import { partitionSizesOf, partitionedAccelerators } from '#core/catalogue/gke-partition-sizes';
import { asNvidiaSpells } from '#core/catalogue/profile-name';
import type { Edit, Finding } from '../finding.js';
import type { Rules } from '../rule.js';
import { countOf, isMap, migSizeOf, type Ask, type Json, type PodSpec } from '../pod-specs.js';

const sizeLabel = 'cloud.google.com/gke-gpu-partition-size';
const acceleratorLabel = 'cloud.google.com/gke-accelerator';
const sharingLabel = 'cloud.google.com/gke-gpu-sharing-strategy';
const clientsLabel = 'cloud.google.com/gke-max-shared-clients-per-gpu';

export const onGke: Rules = {
  ask: (ask, { target }) => (target === 'gke' ? [...migResource(ask), ...sharedCount(ask)] : []),
  pod: (pod, { target }) => (target === 'gke' ? gkeSize(pod) : []),
};

function migResource({ pod, container, resource }: Ask): readonly Finding[] {
  const size = migSizeOf(resource.replace(/\.shared$/, ''));
  if (size === null) return [];
  const label = size.replaceAll('+', '.');
  const selector = selectorOf(pod)[sizeLabel];
  // One pod goes to nodes of one size.
  const sizes = new Set(
    pod.containers.flatMap(({ limits }) => Object.keys(limits).map(migSizeOf)).filter((one) => one !== null),
  );
  const isClear = sizes.size === 1 && (selector === undefined || selector === label);
  const resources = [...container.path, 'resources'];
  const edits: readonly Edit[] = [
    ...(['limits', 'requests'] as const).flatMap((where): readonly Edit[] =>
      resource in container[where]
        ? [{ kind: 'rename', path: [...resources, where, resource], key: 'nvidia.com/gpu' }]
        : [],
    ),
    { kind: 'set', path: [...pod.path, 'nodeSelector', sizeLabel], value: label },
  ];
  return [
    {
      ...{ rule: 'mig-resource-on-gke', severity: 'error' },
      path: [...resources, resource in container.limits ? 'limits' : 'requests', resource],
      message: `GKE has no resource ${resource}: the pod would pend for ever`,
      fix: `ask for nvidia.com/gpu, with the node selector ${sizeLabel}: ${label}`,
      edits: isClear ? edits : [],
    },
  ];
}

function sharedCount({ pod, resource, count, path }: Ask): readonly Finding[] {
  const selector = selectorOf(pod);
  const isShared = selector[sharingLabel] !== undefined || selector[clientsLabel] !== undefined;
  if (!isShared || resource !== 'nvidia.com/gpu' || (countOf(count) ?? 1) === 1) return [];
  return [
    {
      ...{ rule: 'shared-count', severity: 'error', path },
      message: `${String(count)} nvidia.com/gpu of a shared GPU: GKE admits a pod with at most 1`,
      fix: 'ask for 1; a second turn on the same slice gives no more memory',
      edits: [{ kind: 'set', path, value: 1 }],
    },
  ];
}

function gkeSize(pod: PodSpec): readonly Finding[] {
  const selector = selectorOf(pod);
  const size = selector[sizeLabel];
  if (typeof size !== 'string') return [];
  const path = [...pod.path, 'nodeSelector', sizeLabel];
  const accelerator = selector[acceleratorLabel];
  const profile = asNvidiaSpells(size);
  const among = typeof accelerator === 'string' ? [accelerator] : partitionedAccelerators;
  if (among.some((one) => profile in partitionSizesOf(one))) return [];
  const offered = Object.keys(partitionSizesOf(typeof accelerator === 'string' ? accelerator : ''));
  const where = typeof accelerator === 'string' ? accelerator : 'any accelerator';
  return [
    {
      ...{ rule: 'gke-size', severity: 'error', path },
      message: `GKE cuts no ${size} of ${where}`,
      fix:
        offered.length === 0
          ? `it partitions ${partitionedAccelerators.join(', ')}`
          : `one of ${offered.join(', ')}`,
      edits: [],
    },
  ];
}

function selectorOf({ spec }: PodSpec): Json {
  return isMap(spec['nodeSelector']) ? spec['nodeSelector'] : {};
}
