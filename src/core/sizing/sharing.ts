/** How many replicas of a need time-slice one slice or one card, and what that costs them. */
import type { GpuModel, MigModel, Profile } from '#core/catalogue/model';
import { computeRoom, wholeComputeRoom, wholeReplicas } from './compute.js';
import { usableMemory, wholeMemory } from './memory.js';
import type { Wants } from './wants.js';

/** The most clients that GKE lets share one GPU or slice (its allowed range is 2 to 48). */
const maxReplicasPerSlice = 48;

/** What sharing costs, against a slice or card for each replica. */
export const sharingLoses =
  'no memory or fault isolation between them (one that grows or crashes can take the others down), and they take ' +
  'turns, so latency is not steady';

/** Replicas in one instance of the profile; it must serve at least one. */
export function replicasPerSlice(wants: Wants, profile: Profile, model: MigModel): number {
  const { memoryMiB } = usableMemory(profile, wants.assumeFromName);
  return replicasIn(wants, memoryMiB, computeRoom(wants.compute, profile, model));
}

/** Replicas on one whole card; it must serve at least one. */
export function replicasPerCard(wants: Wants, card: GpuModel): number {
  const { memoryMiB } = wholeMemory(card, wants.assumeFromName);
  return replicasIn(wants, memoryMiB, wholeComputeRoom(wants.compute, card));
}

/** The lesser of what memory and compute allow; 1 where the need states neither: then nothing says when it is full. */
function replicasIn(wants: Wants, memoryMiB: number | null, computeRoom: number | null): number {
  if (!wants.shared || wants.wholeOnly !== null) return 1;
  const memoryRoom = wants.memoryMiB === null || memoryMiB === null ? Infinity : memoryMiB / wants.memoryMiB;
  const room = Math.min(memoryRoom, computeRoom ?? 1);
  return room === Infinity ? 1 : Math.min(wholeReplicas(room), maxReplicasPerSlice);
}
