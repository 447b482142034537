/** mig-parted configurations: what each node's GPUs become, in the tool's strict `v1` format, one per distinct node. */
import {
  allDisabledEntries,
  allDisabledName,
  countsOf,
  spelledName,
  type MigEntry,
} from '#core/cluster/operator/mig-config';
import type { EmitOptions } from '../emission.js';
import { contentName } from '../kubernetes-names.js';
import { grouped, isComplete, migModelOf, type PlanNode } from '../plan-nodes.js';

export interface MigConfig {
  readonly name: string;
  readonly entries: readonly MigEntry[];
  /** The plan's nodes that carry it. */
  readonly nodes: readonly string[];
}

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
  const names = contents.map(({ entries }) => spelledName(entries));
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
  const named = configs.map(({ name, entries }) => [name, entries] as const);
  return {
    version: 'v1',
    'mig-configs': Object.fromEntries([[allDisabledName, allDisabledEntries], ...named]),
  };
}

function entriesOf(node: PlanNode, severalModels: boolean, options: EmitOptions): readonly MigEntry[] {
  const groups = grouped(node.gpus, (gpu) => JSON.stringify([gpu.model, gpu.mig, countsOf(gpu.placements)]));
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
        ...(first.mig && { 'mig-devices': countsOf(first.placements) }),
      },
    ];
  });
}

/** The models of the plan that mig-parted cannot tell apart by PCI id, by name. */
export function modelsWithoutId(nodes: readonly PlanNode[], options: EmitOptions): readonly string[] {
  const models = [...new Set(nodes.flatMap((node) => node.gpus.map((gpu) => gpu.model)))];
  return models.filter((key) => (migModelOf(key, options)?.pciDeviceIds ?? ['no MIG']).length === 0);
}
