/** mig-parted configurations as values: what the GPUs of a node carry by index, as a list of entries, and its name. */

/** One entry of a configuration in mig-parted's `v1` format: the GPUs it is about, and what they carry. */
export interface MigEntry {
  readonly 'device-filter'?: readonly string[];
  readonly devices: 'all' | readonly number[];
  readonly 'mig-enabled': boolean;
  /** Instances by profile; there when MIG is on, even if none. */
  readonly 'mig-devices'?: Readonly<Record<string, number>>;
}

/** What one GPU carries. mig-parted counts instances and leaves their places to the driver. */
export type GpuCut =
  { readonly mig: false } | { readonly mig: true; readonly counts: Readonly<Record<string, number>> };

/** By GPU index; an index that is absent is not known. */
export type NodeCut = ReadonlyMap<number, GpuCut>;

/** The GPU Operator asks for this name where a node says nothing. */
export const allDisabledName = 'all-disabled';
export const allDisabledEntries: readonly MigEntry[] = [{ devices: 'all', 'mig-enabled': false }];

/** Instances by profile, large profiles first. */
export function countsOf(
  placements: readonly { readonly profile: string; readonly size: number }[],
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  const inOrder = [...placements].sort((a, b) => b.size - a.size || a.profile.localeCompare(b.profile, 'en'));
  for (const { profile } of inOrder) counts[profile] = (counts[profile] ?? 0) + 1;
  return counts;
}

/** Equal cuts make equal entries: GPUs in order, one entry for all that carry the same. */
export function entriesFor(cut: NodeCut): readonly MigEntry[] {
  const groups = new Map<string, { readonly indexes: number[]; readonly cut: GpuCut }>();
  for (const [index, one] of [...cut].sort(([a], [b]) => a - b)) {
    const key = keyOf(one);
    const group = groups.get(key) ?? { indexes: [], cut: one };
    group.indexes.push(index);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ indexes, cut: one }) => ({
    devices: indexes,
    'mig-enabled': one.mig,
    ...(one.mig && { 'mig-devices': inNameOrder(one.counts) }),
  }));
}

/**
 * What each of `gpuCount` GPUs carries under a configuration. An entry with a device filter says nothing of an index
 * without knowing the card, so that its GPUs stay unknown, as do those that no entry names.
 */
export function cutOf(entries: readonly MigEntry[], gpuCount: number): NodeCut {
  const cut = new Map<number, GpuCut>();
  for (const entry of entries) {
    const all = Array.from({ length: gpuCount }, (_, index) => index);
    for (const index of entry.devices === 'all' ? all : entry.devices) {
      if (entry['device-filter'] !== undefined) cut.delete(index);
      else
        cut.set(
          index,
          entry['mig-enabled'] ? { mig: true, counts: entry['mig-devices'] ?? {} } : { mig: false },
        );
    }
  }
  return cut;
}

export function isSameCut(one: GpuCut, other: GpuCut): boolean {
  return keyOf(one) === keyOf(other);
}

/** A name that tells its content, as in `mica-0.1-1x2g.48gb-2x1g.24gb_2-off`; it may be longer than a label may be. */
export function spelledName(entries: readonly MigEntry[]): string {
  const spelled = entries.map((entry) => {
    const devices = entry.devices === 'all' ? 'all' : entry.devices.join('.');
    const slices = Object.entries(entry['mig-devices'] ?? {}).map(
      ([profile, count]) => `${count}x${profile.replaceAll('+', '.')}`,
    );
    return `${devices}-${entry['mig-enabled'] ? slices.join('-') || 'empty' : 'off'}`;
  });
  return `mica-${spelled.join('_')}`;
}

function keyOf(cut: GpuCut): string {
  return cut.mig ? JSON.stringify(Object.entries(inNameOrder(cut.counts))) : 'off';
}

function inNameOrder(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const present = Object.entries(counts).filter(([, count]) => count > 0);
  return Object.fromEntries(present.sort(([a], [b]) => (a < b ? -1 : 1)));
}
