/** Where a program is, as a shell would find it. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

export type FoundProgram =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly kind: 'not-found' | 'not-executable' };

/** A name with a slash is a path; any other is looked for in the folders of `searchPath`, in their order. */
export function findProgram(name: string, searchPath: string | undefined, folder: string): FoundProgram {
  const folders = name.includes('/') ? [''] : (searchPath ?? defaultPath).split(delimiter);
  let isThere = false;
  for (const one of folders) {
    const path = resolve(folder, one, name);
    if (name === '' || !isFile(path)) continue;
    if (mayRun(path)) return { ok: true, path };
    isThere = true;
  }
  return { ok: false, kind: isThere ? 'not-executable' : 'not-found' };
}

const defaultPath = '/usr/local/bin:/usr/bin:/bin';

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
