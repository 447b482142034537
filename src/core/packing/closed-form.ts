/** What a card family must offer to be packed without search: its resources, who gets in, and the layouts. */
import type { Layout } from '#core/geometry/placement';
import type { Space } from '#core/geometry/space';
import type { Demand } from './demand.js';
import { nestedFamily } from './nested.js';
import type { CountProof } from './proof.js';
import type { Run } from './runs.js';
import { sevenSliceFamily } from './seven-slice.js';

/** Something that every layout uses at most `gpuWorth` of, in whole numbers per profile name. */
export interface Resource {
  readonly resource: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly gpuWorth: number;
}

/**
 * A family whose optimum is known in closed form. The fewest GPUs for a demand is the largest of the resource bounds,
 * and `layoutsFor` reaches it.
 */
export interface Family {
  readonly resources: readonly Resource[];
  /** The part of the demand with the most placement units that fits on `gpus` cards. */
  readonly admit: (demand: Demand, gpus: number) => Demand;
  /** The layouts of `gpus` cards that hold the whole demand; the caller has made sure that it fits. */
  readonly layoutsFor: (demand: Demand, gpus: number) => readonly Run<Layout>[];
}

/** The closed form for the plain profiles of a space; undefined: this geometry needs the pattern program. */
export function familyOf(space: Space): Family | undefined {
  return space.hasBudgets ? undefined : (sevenSliceFamily(space) ?? nestedFamily(space));
}

/** The strongest of the resource bounds, as a proof. */
export function boundBy(model: string, resources: readonly Resource[], demand: Demand): CountProof {
  const proofs = resources.map((resource) => proofFrom(model, resource, demand));
  return proofs.reduce((best, proof) => (proof.lowerBound > best.lowerBound ? proof : best));
}

/** The bound that one resource gives for a demand. */
export function proofFrom(
  model: string,
  { resource, weights, gpuWorth }: Resource,
  demand: Demand,
): CountProof {
  const demandWorth = Object.entries(demand).reduce(
    (sum, [profile, count]) => sum + count * (weights[profile] ?? 0),
    0,
  );
  const lowerBound = Math.ceil(demandWorth / gpuWorth);
  return { kind: 'weights', model, resource, weights, demand, gpuWorth, demandWorth, lowerBound };
}
