/**
 * Whoever hands out the slices of a machine: this process itself over the store, or a server that has it open. Each call
 * is short, stands for itself and may be made again: no call relies on what the desk remembers, so that a desk that was
 * killed and comes back costs nobody a lease.
 */
import type { LeasableSlice, LeaseWish } from '#core/run/slice';
import type { ProcessMark } from './run-store.js';

export interface DeskRequest {
  /** Made by whoever asks; the lease that is granted has it, too. */
  readonly id: string;
  readonly wish: LeaseWish;
  /** What the holder runs, for `mica ps`. */
  readonly command: readonly string[];
  /** `false`: now or not at all. */
  readonly queue: boolean;
}

export interface GrantedLease {
  readonly id: string;
  readonly slices: readonly LeasableSlice[];
  /** Whoever is not heard of for longer loses it. */
  readonly ttlMs: number;
}

export type DeskAnswer =
  | { readonly kind: 'granted'; readonly lease: GrantedLease }
  /** `place` counts from 1 over those that wait. */
  | { readonly kind: 'waits'; readonly place: number; readonly why: string }
  | { readonly kind: 'impossible' | 'over-quota'; readonly why: string };

export type KeepAnswer =
  | { readonly kind: 'kept' }
  /** There is no such lease, or not any more. */
  | { readonly kind: 'over' }
  /** One of the groups is not the holder's to bind: nothing was kept. */
  | { readonly kind: 'foreign-group'; readonly why: string };

export interface UncleanSlice {
  readonly slice: string;
  readonly why: string;
}

export type CleanAnswer =
  | { readonly kind: 'clean' }
  | { readonly kind: 'unclean'; readonly slices: readonly UncleanSlice[] }
  /** There is no such lease, or not any more: its slices were not touched. */
  | { readonly kind: 'over' };

/** What a tenant sees of the machine is its own. */
export interface DeskView {
  /** Only those that are leased, in quarantine or free below. */
  readonly slices: readonly LeasableSlice[];
  readonly leases: readonly LeaseView[];
  /** In the order of priority and age. */
  readonly queue: readonly RequestView[];
  readonly quarantine: readonly {
    readonly slice: string;
    readonly why: string;
    readonly sinceMs: number;
  }[];
  /** Ids of slices. */
  readonly free: readonly string[];
}

export interface LeaseView {
  readonly id: string;
  readonly tenant: string | null;
  readonly slices: readonly string[];
  readonly pid: number;
  /** `gone`: its holder is; whoever asks for a slice next takes it back. */
  readonly state: 'held' | 'reclaiming' | 'gone';
  /** Process groups that work on the slices, by the pid of their leader. */
  readonly groups: readonly number[];
  readonly heldMs: number;
  readonly command: readonly string[];
}

export interface RequestView {
  readonly id: string;
  readonly tenant: string | null;
  readonly pid: number;
  readonly wish: LeaseWish;
  readonly waitedMs: number;
  readonly command: readonly string[];
}

export type EndAnswer =
  /** Slices that are in quarantine now. */
  | { readonly ok: true; readonly quarantined: readonly string[] }
  | { readonly ok: false; readonly why: { readonly kind: 'unknown' | 'held-on'; readonly message: string } };

export type ReopenAnswer =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly why: { readonly kind: 'not-quarantined' | 'in-use'; readonly message: string };
    };

/** Ids of leases and requests that are not the caller's are answered as ones that do not exist. */
export interface LeaseDesk {
  /** Takes what is free, or a place in the queue; asking again is how the place is kept. `signal`: no further try where the desk does not answer. */
  readonly ask: (request: DeskRequest, signal?: AbortSignal) => Promise<DeskAnswer>;
  readonly withdraw: (request: string) => Promise<void>;
  /** The heartbeat of a lease, with all groups that work on its slices. */
  readonly keep: (lease: string, groups: readonly ProcessMark[]) => Promise<KeepAnswer>;
  /**
   * Ends what is left of the lease's groups and asks the driver who is in its slices: those that something stays in are
   * the answer, and kept from everybody.
   */
  readonly clean: (lease: string) => Promise<CleanAnswer>;
  /** Keeps a slice of the lease from everybody from now on. */
  readonly quarantine: (lease: string, slice: string, why: string) => Promise<void>;
  /** Gives back slices that are clean. One that is over is given back already. */
  readonly release: (lease: string, peakMemoryMiB: number | null) => Promise<void>;
  /** Memory in use now on a slice that the caller holds; `null`: nobody says. */
  readonly usedMiB: (slice: string) => Promise<number | null>;
  readonly list: () => Promise<DeskView>;
  /** Ends whoever holds the lease, and empties its slices. */
  readonly end: (lease: string) => Promise<EndAnswer>;
  /** Out of quarantine: a slice by its id. `force`: even though something is in it. */
  readonly reopen: (slice: string, force: boolean) => Promise<ReopenAnswer>;
}
