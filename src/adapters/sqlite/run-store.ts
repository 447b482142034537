/**
 * The store of a machine in one SQLite file. Work runs synchronously between BEGIN and COMMIT, so that this process
 * never has two transactions open; what other processes hold is waited for without blocking this one.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type Database from 'libsql';
import { MicaError } from '#core/errors';
import type { RunStore, RunTables } from '#ports/run-store';
import { failureOf, isBusy } from './failures.js';
import { connect, makeFile } from './open-file.js';
import { tablesOf } from './tables.js';

export interface SqliteOptions {
  /** Its folder becomes its owner's alone. */
  readonly path: string;
  /** How long other processes are waited for. */
  readonly patienceMs?: number;
}

/** Throws MicaError: `unwritable-state`, `damaged-state`, `newer-state` or `state-locked`. */
export async function openRunStore({ path, patienceMs = 30_000 }: SqliteOptions): Promise<RunStore> {
  await makeFile(path);
  const patiently = <T>(work: () => T): Promise<T> => whenFree(work, path, patienceMs);
  const database = await patiently(() => connect(path));
  const tables = tablesOf(database);
  let isOpen = true;
  const transaction = <T>(begin: string, work: (tables: RunTables) => T): Promise<T> =>
    patiently(() => {
      if (!isOpen) throw new TypeError('the store is closed');
      return within(database, begin, () => work(tables));
    });
  return {
    transact: (work) => transaction('BEGIN IMMEDIATE', work),
    read: (work) => transaction('BEGIN', work),
    close: async () => {
      if (!isOpen) return;
      isOpen = false;
      database.close();
    },
  };
}

function within<T>(database: Database.Database, begin: string, work: () => T): T {
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

const firstWaitMs = 1;
const longestWaitMs = 25;

async function whenFree<T>(work: () => T, path: string, patienceMs: number): Promise<T> {
  const deadlineMs = Date.now() + patienceMs;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, waitMs * 2)) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw failureOf(error, path);
      if (Date.now() >= deadlineMs) {
        const message = `another process has ${path} locked for more than ${patienceMs / 1000} s`;
        throw new MicaError('state-locked', message, { cause: error });
      }
      // By chance, so that two who wait do not meet again and again.
      await wait(waitMs * (0.5 + Math.random()));
    }
  }
}
