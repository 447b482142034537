/** The file of the database, for its owner alone: made, recognised as ours, and brought to the newest form. */
import { constants } from 'node:fs';
import { access, chmod, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import Database from 'libsql';
import { MicaError } from '#core/errors';
import { applicationId, migrations } from './schema.js';

/** SQLite gives the files beside it (WAL) the permissions of this one. */
export async function makeFile(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    await makeEmpty(path);
    // Never opened here: closing any handle on the file would drop the locks that SQLite has on it in this process, and
    // whoever closes the database next would take itself for the last, and delete the log that is written to.
    await chmod(path, 0o600);
    await access(path, constants.W_OK);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new MicaError('unwritable-state', `${path} cannot be written: ${words}`, { cause: error });
  }
}

async function makeEmpty(path: string): Promise<void> {
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Throws what SQLite throws, `SQLITE_BUSY` too; then nothing is open. */
export function connect(path: string): Database.Database {
  const database = new Database(path);
  try {
    checkHeader(database, path);
    // Readers and one writer at once. What was committed is with the kernel then, which a killed process does not
    // disturb; only a checkpoint, and a transaction that asks for it, waits for the disk itself.
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = NORMAL');
    migrate(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Before the first write: an empty file is ours to fill, anything else must say that it is ours. */
function checkHeader(database: Database.Database, path: string): void {
  const id = numberOf(database, 'PRAGMA application_id');
  const isEmpty = numberOf(database, 'SELECT count(*) FROM sqlite_master') === 0;
  if (id === applicationId || (id === 0 && isEmpty)) return;
  throw new MicaError('damaged-state', `${path} is a database of another program`);
}

function migrate(database: Database.Database, path: string): void {
  if (versionOf(database, path) === migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have been faster.
    for (const step of migrations.slice(versionOf(database, path))) database.exec(step);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** A newer Mica may keep what this one would lose, so that its file is left alone. */
function versionOf(database: Database.Database, path: string): number {
  const version = numberOf(database, 'PRAGMA user_version');
  if (version <= migrations.length) return version;
  throw new MicaError(
    'newer-state',
    `${path} was written by a newer Mica: it has version ${version}, and this Mica knows ${migrations.length}`,
  );
}

function numberOf(database: Database.Database, sql: string): number {
  const [row] = database.prepare(sql).raw().all() as readonly (readonly [number])[];
  return row?.[0] ?? 0;
}
