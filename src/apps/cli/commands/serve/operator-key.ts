/** The key of whoever runs the machine: who can read its file may do everything. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MicaError } from '#core/errors';

const keyForm = /^mica_operator_[A-Za-z0-9_-]{43}$/;

/** The key that is there, or a new one, for its owner alone. */
export async function ensureOperatorKey(file: string): Promise<string> {
  const found = await readOperatorKey(file);
  if (found !== null) return found;
  const key = `mica_operator_${randomBytes(32).toString('base64url')}`;
  const unfinished = `${file}.${process.pid}`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await rm(unfinished, { force: true });
    const made = await open(unfinished, 'wx', 0o600);
    try {
      await made.writeFile(`${key}\n`);
      await made.sync();
    } finally {
      await made.close();
    }
    // Whole or not at all, whenever this process is killed; and never over one that another was faster with.
    await link(unfinished, file).catch(unlessThere);
  } catch (cause) {
    throw new MicaError('unwritable-state', `${file} cannot be written`, { cause });
  } finally {
    await rm(unfinished, { force: true }).catch(() => undefined);
  }
  return (await readOperatorKey(file)) ?? key;
}

function unlessThere(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
}

/** `null`: there is none, or not for this user. */
export async function readOperatorKey(file: string): Promise<string | null> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return null;
    throw new MicaError('unreadable-file', `${file} cannot be read`, { cause });
  }
  if (keyForm.test(text)) return text;
  throw new MicaError('damaged-state', `${file} holds something that is no operator key`, {
    next: 'Move it out of the way; `mica serve` makes another.',
  });
}
