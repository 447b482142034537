/** A plan seen machine by machine: what each node's GPUs become, and which replicas stand on each place. */
import type { MigModel, Profile } from '#core/catalogue/model';
import type { Placement } from '#core/geometry/placement';
import type { Plan, PlannedGpu } from '#core/plan/plan';
import { refuse, type EmitOptions, type Refused } from './emission.js';

export interface PlanNode {
  readonly name: string;
  /** The machine type where the node is rented, else `null`. */
  readonly machineType: string | null;
  /** By index. */
  readonly gpus: readonly PlannedGpu[];
  /** GPUs in the machine, planned or not; `null` where neither plan nor fleet tells. */
  readonly gpuCount: number | null;
}

/** The nodes in the order in which the plan names them; refuses a plan that the catalogue cannot carry. */
export function nodesOf(
  plan: Plan,
  options: EmitOptions,
): { readonly ok: true; readonly nodes: readonly PlanNode[] } | Refused {
  if (plan.layouts.length === 0) {
    return refuse(
      'nothing-planned',
      'the plan uses no GPU',
      'State needs that fit the fleet, then plan again.',
    );
  }
  for (const gpu of plan.layouts) {
    const fault = faultOf(gpu, options);
    if (fault !== undefined) return fault;
  }
  const owned = new Map(options.fleet?.nodes.map((node) => [node.name, node.gpus]));
  const nodes = [...grouped(plan.layouts, (gpu) => gpu.node)].map(([name, gpus]) => {
    const rented = owned.has(name) ? undefined : plan.machines.find((machines) => isOneOf(machines, name));
    return {
      name,
      machineType: rented?.machineType ?? null,
      gpus: gpus.sort((a, b) => a.index - b.index),
      gpuCount: rented?.gpusEach ?? owned.get(name) ?? null,
    };
  });
  return { ok: true, nodes };
}

/** True where the plan names every GPU of the machine. */
export function isComplete(node: PlanNode): boolean {
  return node.gpuCount === node.gpus.length;
}

/** The MIG models by catalogue key; `nodesOf` has made sure that they are known. */
export function migModelOf(key: string, options: EmitOptions): MigModel | undefined {
  const model = options.modelOf(key);
  return model?.kind === 'mig' ? model : undefined;
}

export function profileOf(gpu: PlannedGpu, name: string, options: EmitOptions): Profile | undefined {
  return migModelOf(gpu.model, options)?.profiles.find((profile) => profile.name === name);
}

/** The needs of the replicas on a place, one entry a replica: none on an idle slice, several on a shared one. */
export type Occupants = (node: string, index: number, placement: Placement | null) => readonly string[];

export function occupantsOf(plan: Plan): Occupants {
  const key = (node: string, index: number, placement: Placement | null): string =>
    JSON.stringify([node, index, placement?.start ?? 'whole']);
  const byPlace = grouped(plan.assignment, ({ node, index, placement }) => key(node, index, placement));
  return (node, index, placement) => (byPlace.get(key(node, index, placement)) ?? []).map(({ need }) => need);
}

/**
 * Replicas that a slice must take: 0 where it is idle, 1 where its replica is alone. A need that shares a slice
 * anywhere in the plan may share everywhere, so its last replica counts as 2 even where it has a slice to itself.
 */
export type Sharers = (node: string, index: number, placement: Placement) => number;

export function sharersOf(plan: Plan): Sharers {
  const occupants = occupantsOf(plan);
  const sharing = new Set<string>();
  for (const { need, node, index, placement } of plan.assignment) {
    if (placement !== null && occupants(node, index, placement).length > 1) sharing.add(need);
  }
  return (node, index, placement) => {
    const needs = occupants(node, index, placement);
    return needs.some((need) => sharing.has(need)) ? Math.max(2, needs.length) : needs.length;
  };
}

/** The items by key, keys and items in the order in which they come. */
export function grouped<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Rented nodes are `TYPE-1`, `TYPE-2`, …, or `rented-TYPE-1` beside an owned node of that name. */
function isOneOf({ machineType, count }: Plan['machines'][number], node: string): boolean {
  const bare = node.startsWith('rented-') ? node.slice('rented-'.length) : node;
  const number = bare.startsWith(`${machineType}-`) ? bare.slice(machineType.length + 1) : '';
  return /^[1-9]\d*$/.test(number) && Number(number) <= count;
}

function faultOf(gpu: PlannedGpu, options: EmitOptions): Refused | undefined {
  const at = `GPU ${gpu.index} of node ${gpu.node}`;
  const model = options.modelOf(gpu.model);
  if (model === undefined) {
    return refuse(
      'unknown-model',
      `${at} is a ${gpu.model}, which is not in the catalogue`,
      'Run `mica catalogue`.',
    );
  }
  if (!gpu.mig) return undefined;
  if (model.kind !== 'mig') {
    return refuse(
      'plan-mismatch',
      `${at} is a ${model.name}, which Mica cannot cut`,
      'Plan again for this fleet.',
    );
  }
  for (const { profile: name, start, size } of gpu.placements) {
    const profile = model.profiles.find((one) => one.name === name);
    if (profile === undefined || !profile.starts.includes(start) || profile.sizeUnits !== size) {
      const message = `${at}: a ${model.name} has no ${name} at ${start} of size ${size}`;
      return refuse('plan-mismatch', message, 'Plan again: the plan was made for another card or catalogue.');
    }
  }
  return undefined;
}
