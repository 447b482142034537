/** A plan seen need by need: how many replicas ask for the same thing, so that one manifest can carry them. */
import type { Plan } from '#core/plan/plan';
import { refuse, type EmitOptions, type Refused } from './emission.js';
import { grouped, sharersOf } from './plan-nodes.js';

/** What one replica asks for. */
export type Ask =
  /** `shared`: other replicas, of this or another need, may stand in the same slice. */
  | { readonly kind: 'slice'; readonly profile: string; readonly shared: boolean }
  | { readonly kind: 'whole'; readonly gpus: number };

export interface Workload {
  readonly need: string;
  /** Catalogue key of the card. */
  readonly model: string;
  readonly ask: Ask;
  readonly replicas: number;
  /** The plan's nodes that hold them, in the order of the assignment. */
  readonly nodes: readonly string[];
}

/** The workloads in the order in which the assignment first names them. */
export function workloadsOf(
  plan: Plan,
  options: EmitOptions,
): { readonly ok: true; readonly workloads: readonly Workload[] } | Refused {
  const sharers = sharersOf(plan);
  const gpusEach = new Map(options.needs?.map((need) => [need.name, need.gpus]));
  const models = new Map(plan.layouts.map((gpu) => [placeKey(gpu.node, gpu.index), gpu.model]));
  const groups = new Map<string, { need: string; model: string; ask: Ask; places: string[] }>();
  for (const { need, node, index, placement } of plan.assignment) {
    const model = models.get(placeKey(node, index));
    if (model === undefined) {
      const message = `need ${need} is on GPU ${index} of node ${node}, which the plan does not lay out`;
      return refuse('plan-mismatch', message, 'Plan again.');
    }
    const ask: Ask =
      placement === null
        ? { kind: 'whole', gpus: gpusEach.get(need) ?? 1 }
        : { kind: 'slice', profile: placement.profile, shared: sharers(node, index, placement) > 1 };
    const key = JSON.stringify([need, model, ask]);
    const group = groups.get(key) ?? { need, model, ask, places: [] };
    group.places.push(node);
    groups.set(key, group);
  }
  const workloads: Workload[] = [];
  for (const { need, model, ask, places } of groups.values()) {
    const replicas = replicasAt(places, ask.kind === 'whole' ? ask.gpus : 1);
    if (replicas === undefined) {
      const message = `need ${need} takes several GPUs for one replica, and the plan does not keep them on one node`;
      return refuse('plan-mismatch', message, 'Plan again.');
    }
    workloads.push({ need, model, ask, replicas, nodes: [...new Set(places)] });
  }
  return { ok: true, workloads };
}

/** What is lost where replicas share a slice; nothing to say where none do. */
export function sharingNotes(workloads: readonly Workload[]): readonly string[] {
  const shared = workloads.some(({ ask }) => ask.kind === 'slice' && ask.shared);
  return shared
    ? ['Replicas that share a slice take turns: no memory or fault isolation, no steady latency.']
    : [];
}

/** Replicas of `gpusEach` GPUs at these places, one place a GPU; a replica stays on one node. */
function replicasAt(places: readonly string[], gpusEach: number): number | undefined {
  let replicas = 0;
  for (const onNode of grouped(places, (node) => node).values()) {
    const here = onNode.length / gpusEach;
    if (!Number.isInteger(here)) return undefined;
    replicas += here;
  }
  return replicas;
}

function placeKey(node: string, index: number): string {
  return JSON.stringify([node, index]);
}
