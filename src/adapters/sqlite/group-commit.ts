/**
 * Transactions of one process, one after the other in the order in which they were asked for. Those that wait at the
 * same time share one commit; each is a savepoint in it, so that one that fails neither fails nor undoes the others.
 */
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type Database from 'libsql';
import { MicaError } from '#core/errors';
import { failureOf, isBusy } from './failures.js';

export interface Transactions {
  /** `isDurable`: what it and all before it changed outlives a loss of power when the promise resolves. */
  readonly run: <T>(work: () => T, isDurable: boolean) => Promise<T>;
  /** When nothing waits any more. */
  readonly idle: () => Promise<void>;
}

interface Waiting {
  readonly work: () => unknown;
  readonly isDurable: boolean;
  readonly deadlineMs: number;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome =
  { readonly ok: true; readonly answer: unknown } | { readonly ok: false; readonly error: unknown };

export interface Patience {
  readonly path: string;
  /** How long other processes are waited for. */
  readonly patienceMs: number;
}

/** So that one commit blocks the process only for milliseconds. */
const mostTogether = 200;

export function groupCommit(database: Database.Database, { path, patienceMs }: Patience): Transactions {
  const waiting: Waiting[] = [];
  let running: Promise<void> | null = null;
  /** So many of those that wait were in a group that could not be committed: each has to answer for itself. */
  let suspects = 0;

  /** Throws what says that another process has the lock; then all of them wait on. */
  const commitNext = (): void => {
    const group = waiting.slice(0, suspects > 0 ? 1 : mostTogether);
    let outcomes: readonly Outcome[];
    try {
      outcomes = together(database, group);
    } catch (error) {
      if (isBusy(error)) throw error;
      if (group.length > 1) {
        suspects = group.length;
        return;
      }
      outcomes = [{ ok: false, error }];
    }
    suspects = Math.max(0, suspects - 1);
    for (const [place, outcome] of outcomes.entries()) {
      const { resolve, reject } = waiting[place]!;
      if (outcome.ok) resolve(outcome.answer);
      else reject(failureOf(outcome.error, path));
    }
    waiting.splice(0, outcomes.length);
  };
  const giveUp = (cause: unknown): void => {
    const nowMs = Date.now();
    while (waiting[0] !== undefined && nowMs >= waiting[0].deadlineMs) {
      waiting.shift()!.reject(lockedFor({ path, patienceMs }, cause));
      suspects = Math.max(0, suspects - 1);
    }
  };
  const commitAll = async (): Promise<void> => {
    let pauses = pausesMs();
    // Whatever else this turn of the event loop brings belongs to the group.
    await turn();
    while (waiting.length > 0) {
      try {
        commitNext();
        pauses = pausesMs();
        if (waiting.length > 0) await turn();
      } catch (error) {
        giveUp(error);
        if (waiting.length > 0) await wait(pauses.next().value);
      }
    }
    running = null;
  };

  return {
    run: <T>(work: () => T, isDurable: boolean): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        const deadlineMs = Date.now() + patienceMs;
        waiting.push({ work, isDurable, deadlineMs, resolve: resolve as Waiting['resolve'], reject });
        running ??= commitAll();
      }),
    idle: async () => {
      await running;
    },
  };
}

/** A read, or whatever else wants the lock for a moment. Throws `state-locked` where another process keeps it. */
export async function whenFree<T>(work: () => T, { path, patienceMs }: Patience): Promise<T> {
  const deadlineMs = Date.now() + patienceMs;
  for (const pauses = pausesMs(); ;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw failureOf(error, path);
      if (Date.now() >= deadlineMs) throw lockedFor({ path, patienceMs }, error);
    }
    await wait(pauses.next().value);
  }
}

function lockedFor({ path, patienceMs }: Patience, cause: unknown): MicaError {
  const message = `another process has ${path} locked for more than ${patienceMs / 1000} s`;
  return new MicaError('state-locked', message, { cause });
}

export function within<T>(database: Database.Database, begin: string, work: () => T): T {
  database.exec(begin);
  try {
    const answer = work();
    database.exec('COMMIT');
    return answer;
  } catch (error) {
    // A full disk ends the transaction by itself.
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Throws where the transaction as a whole failed: nothing of it has happened then. */
function together(database: Database.Database, group: readonly Waiting[]): readonly Outcome[] {
  const isDurable = group.some((one) => one.isDurable);
  if (isDurable) database.pragma('synchronous = FULL');
  try {
    return within(database, 'BEGIN IMMEDIATE', () =>
      group.length === 1
        ? group.map(({ work }) => ({ ok: true, answer: work() }))
        : group.map(({ work }) => inSavepoint(database, work)),
    );
  } finally {
    if (isDurable) database.pragma('synchronous = NORMAL');
  }
}

function inSavepoint(database: Database.Database, work: () => unknown): Outcome {
  database.exec('SAVEPOINT one');
  try {
    const answer = work();
    database.exec('RELEASE one');
    return { ok: true, answer };
  } catch (error) {
    if (!database.inTransaction) throw error;
    database.exec('ROLLBACK TO one; RELEASE one');
    return { ok: false, error };
  }
}

const firstPauseMs = 1;
const longestPauseMs = 25;

/** Longer and longer, and by chance, so that two who wait do not meet again and again. */
function* pausesMs(): Generator<number, never> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    yield pauseMs * (0.5 + Math.random());
  }
}
