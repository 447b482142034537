/** Which closed form a card has, and the bounds that its resources give. */
import type { Space } from '#core/geometry/space';
import type { Demand } from './demand.js';
import type { Family, Resource } from './family.js';
import { nestedFamily } from './nested.js';
import type { CountProof } from './proof.js';
import { sevenSliceFamily } from './seven-slice.js';

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
