/**
 * Locks as files that name their holder. A lock is a folder of numbered files, of which the highest counts; who wants
 * the lock makes the next one, and only one process can. So a dead holder's file is never deleted to take over, which
 * is where lock files go wrong when two processes find the same dead holder.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MicaError } from '#core/errors';
import type { LockAnswer, Locks } from '#ports/locks';
import { ownIdentity, presenceOf, type ProcessIdentity } from './process-identity.js';

/** Locks in this folder, which is made when it is needed. All who share a lock name the same folder. */
export function lockFiles(folder: string): Locks {
  return {
    lock: async (key) => {
      try {
        return await take(join(folder, `${encodeURIComponent(key)}.lock`));
      } catch (error) {
        const message = `the lock of ${key} cannot be written in ${folder}`;
        throw new MicaError('unwritable-state', message, { cause: error });
      }
    },
  };
}

async function take(place: string): Promise<LockAnswer> {
  for (;;) {
    const last = (await generationsIn(place)).at(-1) ?? (await begin(place));
    const holder = await holderOf(fileOf(place, last));
    if (holder !== null) {
      const presence = presenceOf(holder);
      if (presence !== 'gone') return { ok: false, pid: presence === 'alive' ? holder.pid : null };
    }
    const next = last + 1;
    if (!(await createWhole(fileOf(place, next), ownIdentity()))) continue;
    if (await isOurs(place, last, next)) {
      await cleanBelow(place, next);
      return { ok: true, release: releaserOf(fileOf(place, next)) };
    }
    await rm(fileOf(place, next), { force: true });
  }
}

/**
 * Whoever looked long ago may make a file that was made, used and cleaned away before. Files go lowest first and the
 * highest never goes, so where the one that was followed is still there, none had followed it before.
 */
async function isOurs(place: string, last: number, next: number): Promise<boolean> {
  return (await isThere(fileOf(place, last))) && (await generationsIn(place)).at(-1) === next;
}

/** Older files, lowest first, and what processes left that died while they wrote. */
async function cleanBelow(place: string, generation: number): Promise<void> {
  for (const old of await generationsIn(place)) {
    if (old < generation) await rm(fileOf(place, old), { force: true });
  }
  for (const name of await readdir(place)) {
    if (name.includes('.') && Number.parseInt(name, 10) <= generation) {
      await rm(join(place, name), { force: true });
    }
  }
}

function releaserOf(file: string): () => Promise<void> {
  let isHeld = true;
  return async () => {
    if (!isHeld) return;
    isHeld = false;
    // An empty file names nobody, and a full disk has room for it.
    await truncate(file, 0);
  };
}

/** The first file comes with its folder, at once: a folder without any is never seen. */
async function begin(place: string): Promise<number> {
  const draft = `${place}.${randomUUID()}`;
  await mkdir(draft, { recursive: true, mode: 0o700 });
  await writeFile(fileOf(draft, 0), 'null', { mode: 0o600 });
  try {
    await rename(draft, place);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!isCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  }
  const last = (await generationsIn(place)).at(-1);
  if (last === undefined) throw new Error(`${place} is empty`);
  return last;
}

async function generationsIn(place: string): Promise<readonly number[]> {
  try {
    const names = await readdir(place);
    return names
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** `null`: released, or gone meanwhile, or cut short by a power loss; whoever wrote it is not running any more. */
async function holderOf(file: string): Promise<ProcessIdentity | null> {
  try {
    const holder = JSON.parse(await readFile(file, 'utf8')) as ProcessIdentity | null;
    return typeof holder?.pid === 'number' ? holder : null;
  } catch (error) {
    if (isCode(error, 'ENOENT') || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Appears with its content or not at all; false: somebody was faster. */
async function createWhole(file: string, holder: ProcessIdentity): Promise<boolean> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600 });
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST', 'ENOENT')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await readFile(file);
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function fileOf(place: string, generation: number): string {
  return join(place, `${generation}`);
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? '');
}
