/** Reads a file, or a pipe, up to a limit: a wrong path such as /dev/zero must never fill the memory. */
import { closeSync, openSync, readSync } from 'node:fs';

/** A kubeconfig of 800 clusters with their certificates inside. */
export const mostBytesOfFile = 4 * 1024 * 1024;

/** `null`: it has more. Throws what the system says where the file cannot be read. */
export function readBounded(path: string, mostBytes = mostBytesOfFile): Buffer | null {
  const file = openSync(path, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let length = 0; length <= mostBytes;) {
      const chunk = Buffer.allocUnsafe(64 * 1024);
      const got = readSync(file, chunk);
      if (got === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, got));
      length += got;
    }
    return null;
  } finally {
    closeSync(file);
  }
}

/** The same where more is a failure. */
export function contentOf(path: string): Buffer {
  const bytes = readBounded(path);
  if (bytes === null) throw new Error(`${path} has more than ${mostBytesOfFile / 2 ** 20} MiB`);
  return bytes;
}
