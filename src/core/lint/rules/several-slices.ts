/** Slices cannot talk to each other: what spans GPUs wants whole ones. */
import type { Finding } from '../finding.js';
import type { Rules } from '../rule.js';
import { asksOf, countOf, isMap, migSizeOf, type Container, type PodSpec } from '../pod-specs.js';

const sizeLabel = 'cloud.google.com/gke-gpu-partition-size';

export const severalSlices: Rules = {
  pod: (pod) => pod.containers.flatMap((container) => judged(pod, container)),
};

function judged(pod: PodSpec, container: Container): readonly Finding[] {
  const asks = asksOf({ ...pod, containers: [container] }).filter(
    ({ resource }) => migSizeOf(resource) !== null || (resource === 'nvidia.com/gpu' && isCut(pod)),
  );
  const [first] = asks;
  if (first === undefined) return [];
  const slices = asks.reduce((sum, { count }) => sum + (countOf(count) ?? 1), 0);
  const sign = signOfPeers(container);
  if (slices === 1 && sign === null) return [];
  const what =
    slices === 1
      ? `it looks like one of many that talk to each other (${sign})`
      : `it gets ${slices} slices${sign === null ? '' : ` and ${sign}`}`;
  return [
    {
      ...{ rule: 'several-slices', path: first.path },
      severity: sign === null ? 'warning' : 'error',
      message: `container ${container.name}: ${what}; there is no P2P and no NCCL between slices, and CUDA sees one slice per process`,
      fix:
        slices === 1
          ? 'give it whole GPUs (nvidia.com/gpu on nodes without MIG), or make it one process on one slice'
          : 'ask for one larger slice, or for whole GPUs on nodes without MIG',
      edits: [],
    },
  ];
}

function isCut({ spec }: PodSpec): boolean {
  return isMap(spec['nodeSelector']) && spec['nodeSelector'][sizeLabel] !== undefined;
}

/** What says that processes on several GPUs talk to each other; `null`: nothing does. */
function signOfPeers({ value }: Container): string | null {
  const env = Array.isArray(value['env']) ? (value['env'] as readonly unknown[]) : [];
  const names = env.flatMap((one) => (isMap(one) && typeof one['name'] === 'string' ? [one] : []));
  const nccl = names.find(({ name }) => String(name).startsWith('NCCL_'));
  if (nccl !== undefined) return `sets ${String(nccl['name'])}`;
  const world = names.find(({ name, value: size }) => name === 'WORLD_SIZE' && Number(size) > 1);
  if (world !== undefined) return `sets WORLD_SIZE ${String(world['value'])}`;
  const words = ['command', 'args'].flatMap((key) =>
    Array.isArray(value[key]) ? (value[key] as readonly unknown[]).map(String) : [],
  );
  const text = words.join(' ');
  const flag = /--(tensor-parallel-size|nproc[-_]per[-_]node|num-shard|tp-size)[= ](\d+)/.exec(text);
  return flag !== null && Number(flag[2]) > 1 ? `runs with --${flag[1]} ${flag[2]}` : null;
}
