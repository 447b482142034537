/**
 * The journal of a machine as files: `open/NAME.jsonl` while a change goes on, `closed/NUMBER-NAME.jsonl` after it. A
 * record counts once its line is on disk as a whole.
 */
import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MicaError } from '#core/errors';
import type { ClosedJournal, JournalHistory, JournalStore } from '#ports/journal';
import type { Locks } from '#ports/locks';
import { jsonOf, lineOf, readLines, type Lines } from './lines.js';

export interface FileJournalOptions {
  /** Made when it is needed, for its owner alone. */
  readonly folder: string;
  readonly locks: Locks;
}

export function fileJournal({ folder, locks }: FileJournalOptions): JournalStore & JournalHistory {
  const openFolder = join(folder, 'open');
  const closedFolder = join(folder, 'closed');
  /** Appends of this process to one journal go one after the other. */
  const lastOf = new Map<string, Promise<unknown>>();
  return {
    lock: locks.lock,
    read: async (name) => (await linesIn(openPath(openFolder, name))).records,
    append: async (name, record) => {
      const json = jsonOf(record);
      const path = openPath(openFolder, name);
      const turn = (lastOf.get(name) ?? Promise.resolve()).then(() => appendTo(path, json));
      const settled = turn.catch(() => undefined);
      lastOf.set(name, settled);
      void settled.then(() => {
        if (lastOf.get(name) === settled) lastOf.delete(name);
      });
      await turn;
    },
    names: async () => {
      const names: string[] = [];
      for (const file of await filesIn(openFolder)) {
        if (await isBegun(join(openFolder, file))) names.push(nameOf(file));
      }
      return names;
    },
    close: async (name) => {
      await lastOf.get(name);
      await moveToClosed(openPath(openFolder, name), closedFolder, name);
    },
    closed: async () =>
      (await filesIn(closedFolder)).map((file): ClosedJournal => {
        const path = join(closedFolder, file);
        const id = nameOf(file);
        return {
          id,
          name: id.slice(id.indexOf('-') + 1),
          read: () => readClosed(path),
        };
      }),
    forget: async (ids) => {
      if (ids.length > 0) await removeClosed(closedFolder, new Set(ids));
    },
  };
}

const suffix = '.jsonl';
const longestFileName = 240;

function openPath(folder: string, name: string): string {
  const file = `${encodeURIComponent(name)}${suffix}`;
  if (name === '' || file.length > longestFileName)
    throw new RangeError(`no journal can be called '${name}'`);
  return join(folder, file);
}

function nameOf(file: string): string {
  return decodeURIComponent(file.slice(0, -suffix.length));
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((file) => file.endsWith(suffix)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw unreadable(folder, error);
  }
}

/** A file whose first record never got whole belongs to a change that never began. */
async function isBegun(path: string): Promise<boolean> {
  const { records, bytes, isDamaged } = await look(path);
  return isDamaged || (bytes !== null && records.length > 0);
}

/** The record is on disk when this resolves: the line by its own sync, a new file by that of its folder. */
async function appendTo(path: string, json: string): Promise<void> {
  try {
    await makeFolder(dirname(path));
    const before = await linesIn(path);
    const file = await open(path, before.bytes === null ? 'wx' : 'r+', 0o600);
    try {
      // What a killed process left of a line would run into ours.
      if (before.bytes !== null && before.bytes > before.wholeBytes) await file.truncate(before.wholeBytes);
      const line = Buffer.from(lineOf(before.records.length, json));
      try {
        await writeAt(file, line, before.wholeBytes);
        await file.sync();
      } catch (error) {
        // A record that was refused must not be found later.
        await file.truncate(before.wholeBytes).catch(() => undefined);
        throw error;
      }
    } finally {
      await file.close();
    }
    if (before.bytes === null) await syncFolder(dirname(path));
  } catch (error) {
    if (error instanceof MicaError) throw error;
    throw new MicaError('unwritable-state', `the journal ${path} cannot be written`, { cause: error });
  }
}

async function writeAt(
  file: Awaited<ReturnType<typeof open>>,
  line: Buffer,
  positionBytes: number,
): Promise<void> {
  for (let written = 0; written < line.length;) {
    const { bytesWritten } = await file.write(line, written, line.length - written, positionBytes + written);
    written += bytesWritten;
  }
}

/** `bytes`: `null` where there is no file. */
interface Found extends Lines {
  readonly bytes: number | null;
  readonly isDamaged: boolean;
}

async function linesIn(path: string): Promise<Found> {
  const found = await look(path);
  if (!found.isDamaged) return found;
  throw new MicaError('damaged-state', `${path} has a damaged record before others that are whole`);
}

async function look(path: string): Promise<Found> {
  try {
    const content = await readFile(path);
    const lines = readLines(content);
    const bytes = content.length;
    if (lines === null) return { records: [], wholeBytes: 0, bytes, isDamaged: true };
    return { ...lines, bytes, isDamaged: false };
  } catch (error) {
    if (isMissing(error)) return { records: [], wholeBytes: 0, bytes: null, isDamaged: false };
    throw unreadable(path, error);
  }
}

async function moveToClosed(path: string, closedFolder: string, name: string): Promise<void> {
  try {
    await makeFolder(closedFolder);
    const last = (await filesIn(closedFolder)).at(-1) ?? '0';
    const number = String(Number.parseInt(last, 10) + 1).padStart(9, '0');
    await rename(path, join(closedFolder, `${number}-${encodeURIComponent(name)}${suffix}`));
    await syncFolder(closedFolder);
    await syncFolder(dirname(path));
  } catch (error) {
    if (isMissing(error)) return;
    if (error instanceof MicaError) throw error;
    throw new MicaError('unwritable-state', `the journal ${path} cannot be closed`, { cause: error });
  }
}

/** Each was closed with its records on disk; one that has none any more is no journal that never began. */
async function readClosed(path: string): Promise<readonly unknown[]> {
  const { records, bytes } = await linesIn(path);
  if (bytes !== null && records.length === 0) {
    throw new MicaError('damaged-state', `${path} has lost its records`);
  }
  return records;
}

/** Oldest first, so that what a killed process leaves is what a shorter memory would have left. */
async function removeClosed(folder: string, ids: ReadonlySet<string>): Promise<void> {
  try {
    for (const file of await filesIn(folder)) {
      if (ids.has(nameOf(file))) await rm(join(folder, file), { force: true });
    }
  } catch (error) {
    if (error instanceof MicaError) throw error;
    throw new MicaError('unwritable-state', `old journals in ${folder} cannot be removed`, { cause: error });
  }
}

async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; ; made = dirname(made)) {
    await syncFolder(dirname(made));
    if (made === first) return;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function unreadable(path: string, cause: unknown): MicaError {
  return new MicaError('unreadable-file', `${path} cannot be read`, { cause });
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
