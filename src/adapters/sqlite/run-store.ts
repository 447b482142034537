/**
 * The store of a machine in one SQLite file. Work runs synchronously between BEGIN and COMMIT, so that this process
 * never has two transactions open; what other processes hold is waited for without blocking this one.
 */
import type { RunStore } from '#ports/run-store';
import { groupCommit, whenFree, within } from './group-commit.js';
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
  const patience = { path, patienceMs };
  const database = await whenFree(() => connect(path), patience);
  const tables = tablesOf(database);
  const transactions = groupCommit(database, patience);
  let isOpen = true;
  const mustBeOpen = (): void => {
    if (!isOpen) throw new TypeError('the store is closed');
  };
  return {
    transact: async (work, { durable = false } = {}) => {
      mustBeOpen();
      return transactions.run(() => work(tables), durable);
    },
    read: (work) =>
      whenFree(() => {
        mustBeOpen();
        return within(database, 'BEGIN', () => work(tables));
      }, patience),
    close: async () => {
      if (!isOpen) return;
      isOpen = false;
      await transactions.idle();
      database.close();
    },
  };
}
