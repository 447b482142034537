/**
 * Whoever hands out the slices of a machine, asked before a change of its GPUs takes any away: what somebody has stays,
 * and what is about to go is handed out to nobody.
 */
import type { Placement } from '#core/geometry/placement';

/** `placement` and `instanceId` null: the whole GPU, without MIG. */
export interface GuardedSlice {
  readonly gpuUuid: string;
  readonly placement: Placement | null;
  readonly instanceId: number | null;
}

/** A lease that is in the way. */
export interface SliceHolder {
  readonly lease: string;
  readonly pid: number;
  readonly command: readonly string[];
  /** Those that were asked about, and that it has. */
  readonly slices: readonly GuardedSlice[];
}

export interface SliceFence {
  /** A slice that was made just now, and that could be leased in a moment, is handed out to nobody before the end. */
  readonly made: (slice: GuardedSlice) => Promise<void>;
  /** Lets all of them be handed out that are there. Never fails. */
  readonly release: () => Promise<void>;
}

export type FenceAnswer =
  | { readonly ok: true; readonly fence: SliceFence }
  | { readonly ok: false; readonly holders: readonly SliceHolder[] };

/** Throws MicaError where nobody can say who has what. */
export interface SliceGuard {
  /** Changes nothing. */
  readonly holders: (slices: readonly GuardedSlice[]) => Promise<readonly SliceHolder[]>;
  /** All of them now, or none. */
  readonly fence: (slices: readonly GuardedSlice[]) => Promise<FenceAnswer>;
}
