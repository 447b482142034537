/** mig-parted configurations: what each node's GPUs become, in the tool's strict `v1` format, one per distinct node. */
import type { PlannedGpu } from '#core/plan/plan';
import type { EmitOptions } from '../emission.js';
import { contentName, dotted } from '../kubernetes-names.js';
import { grouped, isComplete, migModelOf, type PlanNode } from '../plan-nodes.js';

/** One entry: the GPUs it is about, and what they carry. */
export interface MigEntry {
  readonly 'device-filter'?: readonly string[];
  readonly devices: 'all' | readonly number[];
  readonly 'mig-enabled': boolean;
  /** Instances by profile; there when MIG is on, even if none. */
  readonly 'mig-devices'?: Readonly<Record<string, number>>;
}

export interface MigConfig {
  readonly name: string;
  readonly entries: readonly MigEntry[];
  /** The plan's nodes that carry it. */
  readonly nodes: readonly string[];
}

/** The GPU Operator asks for this name where a node says nothing. */
const allDisabled: MigConfig = {
  name: 'all-disabled',
  entries: [{ devices: 'all', 'mig-enabled': false }],
  nodes: [],
};

/**
 * The configurations that the nodes need. Equal nodes share one. The name tells the content, so that a new plan for
 * the same node is a new name: mig-manager acts only when the label's value changes.
 */
export function migConfigsOf(nodes: readonly PlanNode[], options: EmitOptions): readonly MigConfig[] {
  const severalModels = new Set(nodes.flatMap((node) => node.gpus.map((gpu) => gpu.model))).size > 1;
  const drafts = nodes.map((node) => ({ node, entries: entriesOf(node, severalModels, options) }));
  const contents = [...grouped(drafts, ({ entries }) => JSON.stringify(entries)).values()].map((same) => ({
    entries: same[0]?.entries ?? [],
    nodes: same.map(({ node }) => node.name),
  }));
  const names = contents.map(({ entries }) => nameOf(entries));
  return contents.map(({ entries, nodes: same }, index) => {
    const name = names[index] ?? '';
    const isUnique = names.indexOf(name) === names.lastIndexOf(name);
    return { name: contentName(name, entries, isUnique), entries, nodes: same };
  });
}

/** The configuration's name by node. */
export function configNames(configs: readonly MigConfig[]): ReadonlyMap<string, string> {
  return new Map(configs.flatMap(({ name, nodes }) => nodes.map((node) => [node, name] as const)));
}

/** The file as a plain value, `all-disabled` first. */
export function migPartedFile(configs: readonly MigConfig[]): object {
  const named = [allDisabled, ...configs].map(({ name, entries }) => [name, entries] as const);
  return { version: 'v1', 'mig-configs': Object.fromEntries(named) };
}

function entriesOf(node: PlanNode, severalModels: boolean, options: EmitOptions): readonly MigEntry[] {
  const groups = grouped(node.gpus, (gpu) => JSON.stringify([gpu.model, gpu.mig, countsOf(gpu)]));
  return [...groups.values()].flatMap((gpus) => {
    const first = gpus[0];
    if (first === undefined) return [];
    const ids = options.modelOf(first.model)?.pciDeviceIds ?? [];
    const whole = groups.size === 1 && isComplete(node);
    return [
      {
        ...(severalModels && ids.length > 0 && { 'device-filter': ids.map((id) => `0x${id}10DE`) }),
        devices: whole ? ('all' as const) : gpus.map((gpu) => gpu.index),
        'mig-enabled': first.mig,
        ...(first.mig && { 'mig-devices': countsOf(first) }),
      },
    ];
  });
}

/** Instances by profile, large profiles first. */
function countsOf(gpu: PlannedGpu): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  const inOrder = [...gpu.placements].sort(
    (a, b) => b.size - a.size || a.profile.localeCompare(b.profile, 'en'),
  );
  for (const { profile } of inOrder) counts[profile] = (counts[profile] ?? 0) + 1;
  return counts;
}

/** As in `mica-all-4x1g.24gb` or `mica-0.1-1x2g.48gb-2x1g.24gb_2-off`. */
function nameOf(entries: readonly MigEntry[]): string {
  const spelled = entries.map((entry) => {
    const devices = entry.devices === 'all' ? 'all' : entry.devices.join('.');
    const slices = Object.entries(entry['mig-devices'] ?? {}).map(
      ([profile, count]) => `${count}x${dotted(profile)}`,
    );
    return `${devices}-${entry['mig-enabled'] ? slices.join('-') || 'empty' : 'off'}`;
  });
  return `mica-${spelled.join('_')}`;
}

/** The models of the plan that mig-parted cannot tell apart by PCI id, by name. */
export function modelsWithoutId(nodes: readonly PlanNode[], options: EmitOptions): readonly string[] {
  const models = [...new Set(nodes.flatMap((node) => node.gpus.map((gpu) => gpu.model)))];
  return models.filter((key) => (migModelOf(key, options)?.pciDeviceIds ?? ['no MIG']).length === 0);
}
