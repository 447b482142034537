/** Files with answers of dcgm-exporter, oldest first. */
import { readFile, stat } from 'node:fs/promises';
import { MicaError } from '#core/errors';
import { whatElse } from './http-scrape.js';

export interface Snapshot {
  readonly path: string;
  /** For rows without a time of their own: when the file was written. */
  readonly timeMs: number;
}

const largestFile = 256 * 2 ** 20;

/** Read one by one later: a series of snapshots may be larger than the memory. */
export async function listSnapshots(paths: readonly string[]): Promise<readonly Snapshot[]> {
  const snapshots = await Promise.all(
    paths.map(async (path) => {
      const { size, mtimeMs } = await stat(path).catch((error: unknown) => unreadable(path, error));
      if (size > largestFile) {
        throw new MicaError('file-too-large', `${path} is larger than ${largestFile / 2 ** 20} MiB`);
      }
      return { path, timeMs: Math.round(mtimeMs) };
    }),
  );
  return snapshots.sort((a, b) => a.timeMs - b.timeMs);
}

export async function readSnapshot({ path }: Snapshot): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => unreadable(path, error));
  const strange = whatElse(text) ?? (text.trim() === '' ? 'nothing' : null);
  if (strange !== null) throw new MicaError('no-gpu-metrics', `${path} holds ${strange}, not metrics`);
  return text;
}

function unreadable(path: string, error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  throw new MicaError('unreadable-file', `${path}: ${reasons[code ?? ''] ?? message}`, { cause: error });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'you may not read it',
  EISDIR: 'it is a folder, not a file',
};
