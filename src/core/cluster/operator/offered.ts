/** What a node must offer to pods once its GPUs are cut, and whether it does. */
import type { Strategy } from '../gpu-node.js';
import { labels } from '../label-names.js';
import type { ClusterNode, GpuResources } from '../objects.js';
import type { NodeCut } from './mig-config.js';

/** Slices and whole GPUs by resource, before any sharing. */
export interface Expected {
  readonly counts: GpuResources;
  /** False: some GPUs of the node are not known, so there may be more of everything. */
  readonly exact: boolean;
  /** Strategy `single`: the size that the product label must name; `null`: whole GPUs. */
  readonly single: string | null;
}

const wholeGpu = 'nvidia.com/gpu';

export function sliceResource(profile: string): string {
  return `nvidia.com/mig-${profile.replaceAll('+', '.')}`;
}

/** `strategy` is `mixed` or `single`; the judge has refused layouts that `single` cannot offer. */
export function expectedOf(cut: NodeCut, gpuCount: number, strategy: Strategy): Expected {
  const counts: Record<string, number> = {};
  let single: string | null = null;
  for (const one of cut.values()) {
    if (!one.mig) counts[wholeGpu] = (counts[wholeGpu] ?? 0) + 1;
    else {
      for (const [profile, count] of Object.entries(one.counts)) {
        const resource = strategy === 'single' ? wholeGpu : sliceResource(profile);
        if (strategy === 'single') single = profile;
        if (count > 0) counts[resource] = (counts[resource] ?? 0) + count;
      }
    }
  }
  return { counts, exact: cut.size === gpuCount, single };
}

/** What does not look as expected yet, in words; empty: all of it does. */
interface Shortfall {
  /** Capacity and allocatable: the kubelet and the device plugin. */
  readonly resources: readonly string[];
  /** Labels of GPU feature discovery. */
  readonly labels: readonly string[];
}

/** A resource that is gone may stay in capacity with 0 allocatable: that counts as not there. */
export function shortfall(node: ClusterNode, expected: Expected): Shortfall {
  const resources: string[] = [];
  const named = new Set(
    [node.capacity, node.allocatable, expected.counts].flatMap((all) => Object.keys(all)),
  );
  const bases = new Set([...named].map((name) => name.replace(/\.shared$/, '')));
  for (const resource of [...bases].sort()) {
    const want = expected.counts[resource] ?? 0;
    const offered = offeredOf(node, node.allocatable, resource);
    const held = offeredOf(node, node.capacity, resource);
    const isRight = expected.exact
      ? offered === want && (want === 0 || held === want)
      : offered >= want && held >= want;
    if (!isRight) resources.push(`${resource}: ${offered} allocatable of ${held}, wanted ${want}`);
  }
  return { resources, labels: labelFaults(node, expected) };
}

/** Replicas of a shared resource count as the slices that they share. */
function offeredOf(node: ClusterNode, all: GpuResources, resource: string): number {
  const replicas = Number(node.labels[`${resource}.replicas`] ?? 1);
  const total = (all[resource] ?? 0) + (all[`${resource}.shared`] ?? 0);
  return Number.isInteger(replicas) && replicas > 1 ? total / replicas : total;
}

function labelFaults({ labels: of }: ClusterNode, expected: Expected): readonly string[] {
  const product = of[labels.product] ?? '';
  if (product.includes('-MIG-INVALID')) return [`the product label is ${product}`];
  const faults: string[] = [];
  if (of[labels.migStrategy] === 'single') {
    const named = /-MIG-(\dg\..*?)(?:-SHARED)?$/.exec(product)?.[1] ?? null;
    const wanted = expected.single?.replaceAll('+', '.') ?? null;
    if (product !== '' && named !== wanted) faults.push(`the product label is ${product}`);
    return faults;
  }
  const counted = Object.keys(of).filter((key) => /^nvidia\.com\/mig-\dg\..*\.count$/.test(key));
  for (const key of counted.sort()) {
    const want = expected.counts[key.slice(0, -'.count'.length)] ?? 0;
    const said = Number(of[key]);
    if (expected.exact ? said !== want : said < want)
      faults.push(`label ${key} is ${of[key] ?? ''}, wanted ${want}`);
  }
  return faults;
}
