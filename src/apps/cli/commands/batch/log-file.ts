/** Reading what a job has said, from the beginning, from the last lines, or from where one has read to. */
import { open, type FileHandle } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';

export interface LogReader {
  /** All that is new since the last call, in pieces. */
  readonly more: () => AsyncGenerator<string>;
  readonly close: () => Promise<void>;
}

const pieceBytes = 65_536;

/** `lastLines: null`: all of it. A log that is not there has nothing in it. */
export async function openLog(path: string, lastLines: number | null): Promise<LogReader> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });
  if (file === null) return { more: nothing, close: async () => undefined };
  let at = lastLines === null ? 0 : await startOfLast(file, lastLines);
  // A character may be cut in two where the file ends for now.
  const decoder = new StringDecoder('utf8');
  return {
    more: async function* () {
      const bytes = Buffer.alloc(pieceBytes);
      for (;;) {
        const { bytesRead } = await file.read(bytes, 0, pieceBytes, at);
        if (bytesRead === 0) return;
        at += bytesRead;
        yield decoder.write(bytes.subarray(0, bytesRead));
      }
    },
    close: () => file.close(),
  };
}

async function* nothing(): AsyncGenerator<string> {
  // Nothing has been said.
}

const lineFeed = 10;

/** Looks from the end backwards, since a log may be longer than memory. */
async function startOfLast(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines === 0) return size;
  const bytes = Buffer.alloc(pieceBytes);
  let seen = 0;
  for (let end = size; end > 0;) {
    const begin = Math.max(0, end - pieceBytes);
    const { bytesRead } = await file.read(bytes, 0, end - begin, begin);
    for (let index = bytesRead - 1; index >= 0; index -= 1) {
      // The line feed at the very end belongs to the last line.
      if (bytes[index] !== lineFeed || begin + index === size - 1) continue;
      seen += 1;
      if (seen === lines) return begin + index + 1;
    }
    end = begin;
  }
  return 0;
}
