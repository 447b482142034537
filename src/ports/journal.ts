/** Durable records of changes that were begun: what is written here survives `kill -9` and power loss. */

import type { Locks } from './locks.js';

/** Appends are on disk when they return; a torn last record is dropped on reading. */
export interface JournalStore extends Locks {
  /** All records of an open journal in order; a name that is not open is empty. */
  readonly read: (name: string) => Promise<readonly unknown[]>;
  /** Written and synced before it resolves. */
  readonly append: (name: string, record: unknown) => Promise<void>;
  /** The open journals: changes that were begun and not finished. */
  readonly names: () => Promise<readonly string[]>;
  /** Keeps the finished journal for the history; its name is free for a new one. */
  readonly close: (name: string) => Promise<void>;
}

/** Finished journals, for looking back. */
export interface JournalHistory {
  /** In the order in which they were closed. */
  readonly closed: () => Promise<readonly ClosedJournal[]>;
  /** Closed journals that nobody needs any more. Killed half way, some are gone and all others are whole. */
  readonly forget: (ids: readonly string[]) => Promise<void>;
}

export interface ClosedJournal {
  /** Tells two journals of one name apart. */
  readonly id: string;
  readonly name: string;
  /** Empty where it was forgotten meanwhile. */
  readonly read: () => Promise<readonly unknown[]>;
}
