/** What becomes of every node and every pod, by name. */
import type { ClusterPod } from '../objects.js';
import type { Counts } from './cuts.js';
import type { ClassedUnit, PodClass } from './pod-classes.js';

/** A node after the plan. */
export interface Place {
  readonly site: number;
  /** `null`: a node that is made. */
  readonly unit: ClassedUnit | null;
  /** What each GPU is cut into; `null`: as it is. */
  readonly cards: readonly Counts[] | null;
  readonly free: Map<string, number>;
}

export interface Seat {
  readonly pod: ClusterPod;
  readonly podClass: PodClass;
  readonly place: Place;
  /** Where it is now; `null`: it pends. */
  readonly from: ClassedUnit | null;
}

export interface Settled {
  readonly places: readonly Place[];
  readonly seats: readonly Seat[];
  readonly leftOut: readonly { readonly pod: ClusterPod; readonly podClass: PodClass }[];
  /** Nodes that are given up: nothing comes in their stead, or another node does. */
  readonly leaving: readonly { readonly unit: ClassedUnit; readonly isReplaced: boolean }[];
}
