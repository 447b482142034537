/** One of several equal processes leads: whoever holds a lease that others see, and renews it in time. */
import type { ApiRefusal } from './cluster-api.js';

export type LeaseAnswer =
  /** Ours until then by our own clock, counted from before the request went out. After that nothing may be done. */
  | { readonly kind: 'held'; readonly untilMs: number }
  /** Somebody else has it, or was a moment faster. */
  | { readonly kind: 'other'; readonly holder: string }
  /** Not known: what we held stays ours until its time is over. */
  | { readonly kind: 'failed'; readonly why: ApiRefusal };

export interface LeaderLease {
  /** Takes the lease or renews it: one try. Called several times within the time that a lease holds. */
  readonly hold: () => Promise<LeaseAnswer>;
  /** Gives it back at once, where it is ours; else nothing. */
  readonly release: () => Promise<void>;
}
