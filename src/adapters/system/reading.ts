/** Reading what the kernel shows as files, where "not there" and "may not be read" are answers as well. */
import { readFile, readdir } from 'node:fs/promises';

/** `null`: there is none, or it may not be read. */
export async function textOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}

/** The names in a folder, in order; `null`: there is none, or it may not be looked into. */
export async function namesIn(folder: string): Promise<readonly string[] | null> {
  return readdir(folder).then(
    (names) => names.sort(),
    () => null,
  );
}
