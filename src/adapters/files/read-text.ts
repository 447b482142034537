/** Reads a text file that a user named, with a limit: a wrong path must never fill the memory. */
import { open } from 'node:fs/promises';
import { MicaError } from '#core/errors';

/** `path` `-` is standard input. Throws MicaError `unreadable-file` or `file-too-large`. */
export async function readText(path: string, limitBytes: number): Promise<string> {
  const bytes = await readBytes(path, limitBytes + 1).catch((error: unknown) => {
    throw new MicaError('unreadable-file', `${nameOf(path)}: ${reasonOf(error)}`, { cause: error });
  });
  if (bytes.length > limitBytes) {
    throw new MicaError('file-too-large', `${nameOf(path)} is larger than ${formatBytes(limitBytes)}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new MicaError('unreadable-file', `${nameOf(path)} is not UTF-8 text`, { cause: error });
  }
}

/** How messages call the file. */
export function nameOf(path: string): string {
  return path === '-' ? 'standard input' : path;
}

function formatBytes(bytes: number): string {
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 2 ** 10)} KiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** Stops at `most` bytes, so that a device or a pipe without end ends too. */
async function readBytes(path: string, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const source = path === '-' ? process.stdin : (await open(path)).createReadStream();
  for await (const chunk of source as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= most) break;
  }
  return Buffer.concat(chunks);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'you may not read it',
  EISDIR: 'it is a folder, not a file',
  ENOTDIR: 'a part of the path is not a folder',
};

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return reasons[code ?? ''] ?? message;
}
