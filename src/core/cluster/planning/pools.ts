/** Node pools before and after: on GKE a pool has one size, so that a node that is cut anew is a node of another pool. */
import { asNvidiaSpells } from '#core/catalogue/profile-name';
import type { GpuNode } from '../gpu-node.js';
import { groupedBy } from '../grouped-by.js';
import { labels } from '../label-names.js';
import type { PoolChange } from './answer.js';
import type { Place, Settled } from './settle.js';
import type { Site } from './sites.js';

export interface PoolPlan {
  readonly changes: readonly PoolChange[];
  /** Of nodes that are made. */
  readonly poolOf: (place: Place) => string;
}

export function poolsOf(settled: Settled, sites: readonly Site[]): PoolPlan {
  const all = sites.flatMap(({ units }) => units.map(({ seen }) => seen));
  const now = groupedBy(all, nameOf);
  const leaving = groupedBy(
    settled.leaving.map(({ unit }) => unit.seen),
    nameOf,
  );
  const made = settled.places.filter(({ unit }) => unit === null);
  const named = new Map(made.map((place) => [place, poolFor(place, sites[place.site], all)]));
  const coming = groupedBy(made, (place) => named.get(place) ?? '');
  const names = [...new Set([...leaving.keys(), ...coming.keys()])].sort();
  const changes = names.map((pool): PoolChange => {
    const before = now.get(pool) ?? [];
    const gone = leaving.get(pool) ?? [];
    const come = coming.get(pool) ?? [];
    const like = before[0] ?? sites[come[0]?.site ?? -1]?.like;
    const after = before.length - gone.length + come.length;
    const isMore = after > before.length;
    const [first] = come;
    return {
      action: before.length === 0 ? 'add' : isMore ? 'grow' : after === 0 ? 'drop' : 'shrink',
      pool,
      partitioner: like?.partitioner ?? 'gke',
      machineType: sites[first?.site ?? -1]?.rent?.machineType ?? like?.machineType ?? null,
      size: before[0] === undefined ? sizeOf(first) : sizeNow(before[0]),
      nodes: { before: before.length, after },
      leaving: gone.map(({ node }) => node.name).sort(),
    };
  });
  return { changes, poolOf: (place) => named.get(place) ?? '' };
}

function nameOf({ pool, machineType }: GpuNode): string {
  return pool ?? `nodes of no pool${machineType === null ? '' : ` (${machineType})`}`;
}

/** A pool of that machine type and size that is there, or one that is named after both. */
function poolFor(place: Place, site: Site | undefined, all: readonly GpuNode[]): string {
  if (site === undefined) return '';
  const machineType = site.rent?.machineType ?? site.like.machineType ?? 'gpu';
  if (site.style !== 'gke') return site.like.pool ?? `mica-${machineType.replaceAll('.', '-')}`;
  const size = sizeOf(place);
  const taints = JSON.stringify(site.like.node.taints);
  const there = all.find(
    (seen) =>
      seen.partitioner === 'gke' &&
      seen.pool !== null &&
      seen.machineType === machineType &&
      sizeNow(seen) === size &&
      seen.offers.every(({ clients }) => clients === 1) &&
      JSON.stringify(seen.node.taints) === taints,
  );
  return there?.pool ?? `mica-${machineType}-${size ?? 'whole'}`.replaceAll('+', '-').toLowerCase();
}

function sizeOf(place: Place | undefined): string | null {
  const [slot] = place?.cards?.[0]?.keys() ?? [];
  return slot === undefined || slot === 'whole' ? null : slot;
}

function sizeNow({ node, partitioner }: GpuNode): string | null {
  const size = partitioner === 'gke' ? node.labels[labels.gkePartition] : undefined;
  return size === undefined || size === '' ? null : asNvidiaSpells(size);
}
