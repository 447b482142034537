/** Slices that replicas share: the device plugin's time-slicing, which shares all slices of a size on a node or none. */
import { refuse, type Refused } from '../emission.js';
import { contentName, dotted } from '../kubernetes-names.js';
import type { Sharers, PlanNode } from '../plan-nodes.js';

/** Replicas per slice by profile, only where shared. Empty: nothing is shared on the node. */
export type NodeSharing = Readonly<Record<string, number>>;

export function sharingOf(
  node: PlanNode,
  sharers: Sharers,
): { readonly ok: true; readonly sharing: NodeSharing } | Refused {
  const counts = new Map<string, Set<number>>();
  for (const gpu of node.gpus) {
    for (const placement of gpu.placements) {
      const seen = counts.get(placement.profile) ?? new Set<number>();
      counts.set(placement.profile, seen.add(sharers(node.name, gpu.index, placement)));
    }
  }
  const sharing: Record<string, number> = {};
  for (const [profile, seen] of counts) {
    const most = Math.max(...seen);
    if (most < 2) continue;
    if (seen.has(1)) {
      const message = `node ${node.name} has ${profile} slices with one replica and ${profile} slices that replicas share; the device plugin shares all slices of a size on a node or none`;
      return refuse(
        'shared-beside-alone',
        message,
        'Plan the shared needs apart, or with isolation: hardware.',
      );
    }
    sharing[profile] = most;
  }
  return { ok: true, sharing };
}

/** The plugin's resource for a slice. Renamed when shared, so that nobody takes a part for the whole. */
export function resourceName(profile: string, strategy: 'mixed' | 'single', shared: boolean): string {
  const slice = strategy === 'single' ? 'nvidia.com/gpu' : `nvidia.com/mig-${dotted(profile)}`;
  return shared ? `${slice}.shared` : slice;
}

/** The name of a sharing, which tells its content: it becomes a label value. */
export function sharingName(sharing: NodeSharing): string {
  const spelled = Object.entries(sharing).map(([profile, replicas]) => `${dotted(profile)}-by-${replicas}`);
  return spelled.length === 0 ? 'default' : contentName(`mica-${spelled.join('_')}`, sharing);
}

/** The device plugin's configuration file. */
export function pluginConfig(sharing: NodeSharing, strategy: 'mixed' | 'single'): object {
  const resources = Object.entries(sharing).map(([profile, replicas]) => ({
    name: resourceName(profile, strategy, false),
    replicas,
  }));
  const timeSlicing = { renameByDefault: true, failRequestsGreaterThanOne: true, resources };
  return {
    version: 'v1',
    flags: { migStrategy: strategy },
    ...(resources.length > 0 && { sharing: { timeSlicing } }),
  };
}
