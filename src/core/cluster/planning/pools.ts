/** Node pools before and after: on GKE a pool has one size, so that a node that is cut anew is a node of another pool. */
import { asNvidiaSpells } from '#core/catalogue/profile-name';
import type { GpuNode } from '../gpu-node.js';
import { groupedBy } from '../grouped-by.js';
import { labels } from '../label-names.js';
import type { PoolChange } from './answer.js';
import type { Place, Settled } from './settled.js';
import { whole, type Site } from './sites.js';

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
  const names = new PoolNames(sites);
  const named = new Map(made.map((place) => [place, names.of(place)]));
  const coming = groupedBy(made, (place) => named.get(place) ?? '');
  const touched = [...new Set([...leaving.keys(), ...coming.keys()])].sort();
  const changes = touched.map((pool): PoolChange => {
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
      like: before.length === 0 ? (sites[come[0]?.site ?? -1]?.like.pool ?? null) : null,
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

/** Names of pools by what their nodes are: a pool that is there, or one that is named after machine type and size. */
class PoolNames {
  readonly #sites: readonly Site[];
  readonly #known = new Map<string, string>();
  readonly #used: Set<string>;

  constructor(sites: readonly Site[]) {
    this.#sites = sites;
    this.#used = new Set(sites.flatMap(({ units }) => units.flatMap(({ seen }) => seen.pool ?? [])));
  }

  of(place: Place): string {
    const site = this.#sites[place.site];
    if (site === undefined) return '';
    const machineType = site.rent?.machineType ?? site.like.machineType ?? 'gpu';
    if (site.style !== 'gke') return site.like.pool ?? `mica-${asName(machineType)}`;
    const size = sizeOf(place);
    const key = JSON.stringify([site.alike, machineType, size]);
    const name = this.#known.get(key) ?? this.#there(site, size) ?? this.#free(machineType, size);
    this.#known.set(key, name);
    return name;
  }

  /** Its nodes are alike to every pod: same labels that matter, same taints. */
  #there({ alike }: Site, size: string | null): string | null {
    for (const site of this.#sites.filter((one) => one.alike === alike)) {
      for (const { seen } of site.units) {
        const isShared = seen.offers.some(({ clients }) => clients > 1);
        if (seen.pool !== null && sizeNow(seen) === size && !isShared) return seen.pool;
      }
    }
    return null;
  }

  #free(machineType: string, size: string | null): string {
    const name = `mica-${asName(machineType)}-${asName(size ?? whole)}`;
    let free = name;
    for (let next = 2; this.#used.has(free); next += 1) free = `${name}-${next}`;
    this.#used.add(free);
    return free;
  }
}

/** Names of pools have small letters, digits and hyphens. */
function asName(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

function sizeOf(place: Place | undefined): string | null {
  const [slot] = place?.cards?.[0]?.keys() ?? [];
  return slot === undefined || slot === whole ? null : slot;
}

function sizeNow({ node, partitioner }: GpuNode): string | null {
  const size = partitioner === 'gke' ? node.labels[labels.gkePartition] : undefined;
  return size === undefined || size === '' ? null : asNvidiaSpells(size);
}
