/** A place on one GPU: which profile, where it starts, how long it is. A live instance is another thing (it has ids). */
import type { Profile } from '../catalogue/model.js';

/** Positions are in placement units of the model's grid; `profile` is the full name, as in `1g.24gb+me`. */
export interface Placement {
  readonly profile: string;
  readonly start: number;
  readonly size: number;
}

/** The placements of one GPU, ordered by start. */
export type Layout = readonly Placement[];

export function placementOf(profile: Profile, start: number): Placement {
  return { profile: profile.name, start, size: profile.sizeUnits };
}

/** Grid order, so that equal layouts print alike. */
export function inGridOrder(placements: readonly Placement[]): Layout {
  return [...placements].sort((a, b) => a.start - b.start);
}

/** As nvidia-smi writes it on a command line: `1g.24gb:3`. */
export function asArgument(placement: Placement): string {
  return `${placement.profile}:${placement.start}`;
}
