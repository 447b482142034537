/** What the caller wants of a change, and what it allows. */
import type { Placement } from '#core/geometry/placement';

export type Wish =
  | { readonly mig: false }
  | { readonly mig: true; readonly placements: readonly Pick<Placement, 'profile' | 'start'>[] };

/** One GPU, wholly: what is not named has to go. */
export interface WantedGpu {
  /** Index or UUID. */
  readonly gpu: number | string;
  readonly want: Wish;
}

/** One GPU as it was applied last: what the journal says once nobody else can change the GPU any more. */
export interface RestoredGpu {
  readonly gpu: string;
  readonly want: 'last-applied';
}

/** An instance that Mica did not make and may destroy. */
export interface NamedInstance {
  readonly gpu: number | string;
  readonly profile: string;
  readonly start: number;
}

export interface ChangeOptions {
  /** Ask processes in the way to leave (SIGTERM), and after that long either kill them or give up. */
  readonly drain?: { readonly graceMs: number; readonly then: 'kill' | 'refuse' };
  /** How long to wait for slices to become free by themselves; before `drain` where both are given. */
  readonly waitMs?: number;
  /** Each GPU for itself, instead of all or nothing. */
  readonly keepGoing?: boolean;
  readonly dryRun?: boolean;
  /** Whether MIG may be switched, with a reset of the GPU where that needs one. Default: yes. */
  readonly allowModeChange?: boolean;
  /** Instances that Mica did not make and that may go. Default: none. */
  readonly mayDestroyForeign?: 'all' | readonly NamedInstance[];
}
