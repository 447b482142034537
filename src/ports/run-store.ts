/**
 * What outlives the processes that run things on slices: leases, the queue for them, quarantined slices, batches with
 * their jobs, how long commands took, the tenants of the machine, and who used what. One store for a machine, several
 * processes at once.
 */
import type { Quota } from '#core/run/quota';
import type { LeaseWish } from '#core/run/slice';

/** A process of this boot, told from later ones with its pid. */
export interface ProcessMark {
  readonly pid: number;
  readonly startedAt: string;
  readonly bootId: string | null;
  /** Where its pid means it: containers count their own. Absent or `null`: not known. */
  readonly pidNamespace?: string | null | undefined;
}

export interface LeaseRecord {
  readonly id: string;
  /** Ids of slices. */
  readonly slices: readonly string[];
  readonly wish: LeaseWish;
  readonly holder: ProcessMark;
  readonly command: readonly string[];
  /** Process groups that work on the slices. */
  readonly groups: readonly ProcessMark[];
  readonly grantedMs: number;
  /** Of the store's own clock: the last time that the holder was heard of. */
  readonly heartbeatMs: number;
  readonly ttlMs: number;
  /** `reclaiming`: the holder is gone, and `by` looks whether the slices are empty. */
  readonly state:
    | { readonly kind: 'held' }
    | { readonly kind: 'reclaiming'; readonly by: ProcessMark; readonly sinceMs: number };
}

export interface RequestRecord {
  readonly id: string;
  readonly wish: LeaseWish;
  readonly holder: ProcessMark;
  readonly command: readonly string[];
  readonly askedMs: number;
  readonly heartbeatMs: number;
}

export interface QuarantineRecord {
  readonly slice: string;
  readonly why: string;
  readonly sinceMs: number;
}

/** One run of something on slices, ended: for usage, cost and sizing. */
export interface UsageRecord {
  readonly lease: string;
  readonly tenant: string | null;
  readonly command: readonly string[];
  readonly slices: readonly {
    readonly id: string;
    readonly model: string | null;
    readonly profile: string | null;
    readonly sizeUnits: number;
    readonly gridUnits: number;
  }[];
  readonly startMs: number;
  readonly endMs: number;
  /** Most memory seen in use; `null`: not measured. */
  readonly peakMemoryMiB: number | null;
}

export interface BatchRecord {
  readonly id: string;
  readonly startedMs: number;
  readonly endedMs: number | null;
  readonly runner: ProcessMark;
  /** What it was asked for, as JSON: the same batch is resumed only with the same jobs. */
  readonly request: string;
}

export type JobResult =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'timeout' }
  /** The slice broke under it, or the runner went: counted as not run. */
  | { readonly kind: 'lost'; readonly why: string }
  /** As `lost`, and not for the first time: it is the job. Counted, and not tried again. */
  | { readonly kind: 'broke-slice'; readonly why: string }
  /** It could not be started at all. */
  | { readonly kind: 'not-started'; readonly why: string };

export interface AttemptRecord {
  readonly batch: string;
  /** Place of the job in the batch's list. */
  readonly job: number;
  readonly attempt: number;
  readonly slice: string;
  readonly group: ProcessMark | null;
  readonly startMs: number;
  /** `null`: still running, or its runner went. */
  readonly end: {
    readonly ms: number;
    readonly result: JobResult;
    readonly peakMemoryMiB: number | null;
  } | null;
}

/** What lets somebody in as a tenant: kept as a digest, so that whoever reads the store cannot use it. */
export interface TokenRecord {
  /** Names the token, and is no secret. */
  readonly id: string;
  /** SHA-256 of the whole token, in hexadecimal. */
  readonly hash: string;
  readonly createdMs: number;
  /** From then on it lets nobody in; `null`: it does not expire. */
  readonly expiresMs: number | null;
}

export interface TenantRecord {
  readonly name: string;
  readonly createdMs: number;
  readonly quota: Quota;
  /** Places of slices that nobody else gets: `GPU-…/1g.24gb:3`, or the UUID of a whole GPU. */
  readonly dedicated: readonly string[];
  readonly tokens: readonly TokenRecord[];
}

/** What a transaction sees and does; rows are replaced whole. */
export interface RunTables {
  readonly leases: () => readonly LeaseRecord[];
  readonly putLease: (lease: LeaseRecord) => void;
  readonly removeLease: (id: string) => void;
  readonly requests: () => readonly RequestRecord[];
  readonly putRequest: (request: RequestRecord) => void;
  readonly removeRequest: (id: string) => void;
  readonly quarantined: () => readonly QuarantineRecord[];
  readonly putQuarantine: (record: QuarantineRecord) => void;
  readonly removeQuarantine: (slice: string) => void;
  /** By name. A machine has tenants when there is one. */
  readonly tenants: () => readonly TenantRecord[];
  readonly putTenant: (tenant: TenantRecord) => void;
  readonly removeTenant: (name: string) => void;
  readonly addUsage: (usage: UsageRecord) => void;
  /** Ended at or after `sinceMs`, oldest first. */
  readonly usage: (sinceMs: number) => readonly UsageRecord[];
  readonly batch: (id: string) => BatchRecord | null;
  /** Newest first. */
  readonly batches: (most: number) => readonly BatchRecord[];
  readonly putBatch: (batch: BatchRecord) => void;
  /** Of one batch, in order of job and attempt. */
  readonly attempts: (batch: string) => readonly AttemptRecord[];
  readonly putAttempt: (attempt: AttemptRecord) => void;
  /** How long the command took when it last passed; keyed by its text. */
  readonly durationMs: (key: string) => number | null;
  readonly putDuration: (key: string, ms: number) => void;
}

export interface TransactOptions {
  readonly durable?: boolean;
}

export interface RunStore {
  /**
   * All of it or nothing, one at a time across processes, those of one process in the order of the calls. The work is
   * synchronous and may be run again; one that throws fails and undoes itself alone. Throws MicaError
   * `unwritable-state` where the disk is full or read-only, and nothing has changed then.
   *
   * What it changed is seen by everybody when the promise resolves, and stays if any process, this one too, is killed
   * at any moment. When the machine itself stops (power, a crash of the kernel) the last moments may be missing: always
   * a number of the newest transactions, never one from the middle or a part of one. A job whose result was among them
   * runs again. With `durable` the promise resolves only when this one, and with it all before it, is on the disk for
   * good: for what must outlive even that, at the price of waiting for the disk.
   */
  readonly transact: <T>(work: (tables: RunTables) => T, options?: TransactOptions) => Promise<T>;
  /** As `transact`, and changes nothing. */
  readonly read: <T>(work: (tables: RunTables) => T) => Promise<T>;
  readonly close: () => Promise<void>;
}
