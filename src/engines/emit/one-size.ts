/** Targets that cut every GPU of a node alike: what a node's one size is, or why it has none. */
import type { PlannedGpu } from '#core/plan/plan';
import { refuse, type Refused } from './emission.js';
import { isComplete, type PlanNode, type Sharers } from './plan-nodes.js';

/** `null`: MIG off on every GPU. */
export interface OneSize {
  readonly slice: { readonly profile: string; readonly sharers: number } | null;
}

/** `target` in words, as in `GKE`; `instead` is what to do when the node has no one size. */
export function oneSizeOf(
  node: PlanNode,
  sharers: Sharers,
  target: string,
  instead: string,
): { readonly ok: true; readonly size: OneSize } | Refused {
  const cut = node.gpus.filter((gpu) => gpu.mig);
  if (cut.length === 0) return { ok: true, size: { slice: null } };
  if (cut.length < node.gpus.length) {
    const message = `node ${node.name} has GPUs with MIG and GPUs without; ${target} cuts all GPUs of a node or none`;
    return refuse('mixed-modes', message, instead);
  }
  const empty = cut.find((gpu) => gpu.placements.length === 0);
  if (empty !== undefined) {
    const message = `GPU ${empty.index} of node ${node.name} has MIG on and no slice; ${target} cannot leave it so`;
    return refuse('empty-mig', message, 'Plan MIG off for that GPU, or give it a slice.');
  }
  const sizes = [...new Set(cut.flatMap((gpu) => gpu.placements.map((placement) => placement.profile)))];
  const profile = sizes[0];
  if (profile === undefined || sizes.length > 1) {
    const message = `node ${node.name} has slices of ${sizes.join(' and ')}; ${target} cuts all GPUs of a node to one size`;
    return refuse('two-sizes', message, instead);
  }
  const counts = new Set(cut.flatMap((gpu) => sharersOn(gpu, node, sharers)));
  if (counts.has(1) && counts.size > 1) {
    const message = `node ${node.name} has ${profile} slices with one replica and slices that replicas share; ${target} shares all slices of a node or none`;
    return refuse(
      'shared-beside-alone',
      message,
      'Plan the shared needs apart, or with isolation: hardware.',
    );
  }
  return { ok: true, size: { slice: { profile, sharers: Math.max(1, ...counts) } } };
}

/** Slices that a node offers when each GPU is cut into `perGpu`, those of GPUs that the plan leaves out included. */
export function slicesOffered(node: PlanNode, perGpu: number): number {
  return perGpu * (node.gpuCount ?? node.gpus.length);
}

export function slicesPlanned(node: PlanNode): number {
  return node.gpus.reduce((sum, gpu) => sum + gpu.placements.length, 0);
}

/** GPUs of the machine that the plan does not name, where that is known. */
export function unplannedIndexes(node: PlanNode): readonly number[] {
  if (node.gpuCount === null || isComplete(node)) return [];
  const planned = new Set(node.gpus.map((gpu) => gpu.index));
  return Array.from({ length: node.gpuCount }, (_, index) => index).filter((index) => !planned.has(index));
}

/** Replicas in each slice that has any. */
function sharersOn(gpu: PlannedGpu, node: PlanNode, sharers: Sharers): readonly number[] {
  return gpu.placements
    .map((placement) => sharers(node.name, gpu.index, placement))
    .filter((count) => count > 0);
}
