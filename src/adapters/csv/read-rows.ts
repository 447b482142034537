/** The rows of a file, read in pieces: the file may be larger than the memory. */
import { open, type FileHandle } from 'node:fs/promises';
import { MicaError } from '#core/errors';
import { longestRow, RowScanner, type Row } from './row-scanner.js';

const pieceBytes = 2 ** 20;
/** Rows that are not whole yet are carried over to the next piece. */
const bufferBytes = pieceBytes + 2 * longestRow;

export interface CsvFile {
  readonly name: string;
  /** `null`: not known before its end, as of a pipe. */
  readonly bytes: number | null;
  /** Every row, the header too. Ends after the first where `onRow` is told to. */
  readonly rows: (onRow: (row: Row) => void, afterPiece: (bytesRead: number) => boolean) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** `-`: standard input. Throws MicaError `unreadable-file`. */
export async function openCsv(path: string): Promise<CsvFile> {
  const name = path === '-' ? 'standard input' : path;
  const file = await open(path === '-' ? '/dev/stdin' : path).catch((error: unknown) => {
    throw asUnreadable(name, error);
  });
  const stat = await file.stat();
  if (stat.isDirectory()) {
    await file.close();
    throw new MicaError('unreadable-file', `${name}: it is a folder, not a file`);
  }
  return {
    name,
    bytes: stat.isFile() ? stat.size : null,
    rows: (onRow, afterPiece) => readRows(file, name, onRow, afterPiece),
    close: () => file.close(),
  };
}

async function readRows(
  file: FileHandle,
  name: string,
  onRow: (row: Row) => void,
  afterPiece: (bytesRead: number) => boolean,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(bufferBytes);
  let scanner: RowScanner | null = null;
  const stat = await file.stat();
  const isFile = stat.isFile();
  let filled = 0;
  let total = 0;
  for (;;) {
    const position = isFile ? total : null;
    const { bytesRead } = await file.read(buffer, filled, pieceBytes, position).catch((error: unknown) => {
      throw asUnreadable(name, error);
    });
    total += bytesRead;
    filled += bytesRead;
    const isLast = bytesRead === 0 || (isFile && total >= stat.size && bytesRead < pieceBytes);
    let start = 0;
    if (scanner === null) {
      start = beginning(buffer, filled, name);
      scanner = new RowScanner(
        delimiterOf(buffer.toString('latin1', start, Math.min(filled, longestRow))),
        onRow,
      );
    }
    const done = start + scanner.scan(start === 0 ? buffer : buffer.subarray(start), filled - start, isLast);
    buffer.copyWithin(0, done, filled);
    filled -= done;
    if (!afterPiece(total) || isLast) return;
  }
}

/** Past the mark of UTF-8, if there is one. */
function beginning(buffer: Buffer, filled: number, name: string): number {
  const mark = buffer.toString('hex', 0, Math.min(3, filled));
  if (mark.startsWith('fffe') || mark.startsWith('feff')) {
    throw new MicaError('bad-csv', `${name} is UTF-16, as PowerShell writes it`, {
      next: 'Write it as UTF-8: `nvidia-smi ... | Out-File -Encoding utf8 FILE`.',
    });
  }
  return mark === 'efbbbf' ? 3 : 0;
}

/** Spreadsheets of many countries write semicolons. */
function delimiterOf(text: string): string {
  const header = text.split('\n').find((line) => line.trim() !== '' && !line.startsWith('#')) ?? '';
  return [',', ';', '\t'].find((delimiter) => header.includes(delimiter)) ?? ',';
}

function asUnreadable(name: string, error: unknown): MicaError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new MicaError('unreadable-file', `${name}: ${reasons[code ?? ''] ?? message}`, { cause: error });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'you may not read it',
};
