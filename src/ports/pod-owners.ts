/** Which Kubernetes object made a pod. */
import type { Owner } from '#core/observe/observation';

export interface PodName {
  readonly namespace: string;
  readonly pod: string;
}

/** Answers `null` for a pod that it knows nothing of, or that nothing owns. */
export type OwnerOf = (pod: PodName) => Owner | null;

export interface PodOwners {
  readonly ownersOf: (pods: readonly PodName[], signal: AbortSignal) => Promise<OwnerOf>;
}
