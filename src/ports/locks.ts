/** One at a time, across the processes of a machine. */

export type LockAnswer =
  | { readonly ok: true; readonly release: () => Promise<void> }
  /** Somebody else has it; `null`: a process that cannot be seen from here. */
  | { readonly ok: false; readonly pid: number | null };

export interface Locks {
  /** One holder at a time for each key, also within one process; a lock whose process is gone is taken over. */
  readonly lock: (key: string) => Promise<LockAnswer>;
}
