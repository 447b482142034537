/** Leases of slices: what whoever runs something on a GPU asks for, and gets. */
import type { LeasableSlice, LeaseWish } from '#core/run/slice';
import type { ProcessMark } from '#ports/run-store';

export interface AcquireOptions {
  /** How long to queue; 0: take what is free now or nothing; `null`: as long as it takes. */
  readonly waitMs: number | null;
  readonly signal: AbortSignal;
  /** Called whenever what stands in the way changes. */
  readonly onQueued: (state: { readonly place: number; readonly why: string }) => void;
  /** What the holder runs, for `mica ps`. */
  readonly command: readonly string[];
}

export type AcquireAnswer =
  | { readonly ok: true; readonly lease: Lease }
  | {
      readonly ok: false;
      readonly why: {
        /** `impossible`: no slice of this machine will ever do, as it is cut. */
        readonly kind: 'impossible' | 'timed-out' | 'aborted' | 'over-quota';
        readonly message: string;
      };
    };

export type ReleaseAnswer =
  | { readonly ok: true }
  /** The slice is kept from everybody until somebody looks: something in it would not die, or it broke. */
  | { readonly ok: false; readonly quarantined: readonly { readonly slice: string; readonly why: string }[] };

/** What was measured of the use. */
export interface LeaseUse {
  /** The most that was in use on any one slice; `null`: not known. */
  readonly peakMemoryMiB: number | null;
}

/** Exclusive, until it is released or its holder is gone for longer than the TTL. Heartbeats go on by themselves. */
export interface Lease {
  readonly id: string;
  readonly slices: readonly LeasableSlice[];
  /** Aborts when the lease was lost: the holder slept longer than the TTL and somebody else may have the slice. */
  readonly lost: AbortSignal;
  /** A group is going to work on the slices. Throws MicaError `lease-lost` where they are not the holder's any more. */
  readonly bind: (group: ProcessMark) => Promise<void>;
  readonly unbind: (group: ProcessMark) => Promise<void>;
  /**
   * Whether the slices are empty: what is left of bound groups is ended, then the driver is asked. To be called between
   * two jobs on one lease, too.
   */
  readonly clean: () => Promise<ReleaseAnswer>;
  /** Keeps one slice from everybody from now on. */
  readonly quarantine: (slice: string, why: string) => Promise<void>;
  /** Cleans, and gives the slices back. Safe to call twice. */
  readonly release: (used?: LeaseUse) => Promise<ReleaseAnswer>;
}

export interface Leases {
  readonly acquire: (wish: LeaseWish, options: AcquireOptions) => Promise<AcquireAnswer>;
}
