/** What SQLite says went wrong, as failures that a user can do something about. */
import { MicaError } from '#core/errors';

/** Another connection has the lock that was wanted. */
export function isBusy(error: unknown): boolean {
  return primaryCodeOf(error) === 'SQLITE_BUSY';
}

/** What is not SQLite's is handed on as it is. */
export function failureOf(error: unknown, path: string): unknown {
  if (error instanceof MicaError) return error;
  const code = primaryCodeOf(error) ?? '';
  if (unwritable.has(code)) {
    return new MicaError('unwritable-state', `${path} cannot be written: ${wordsOf(error)}`, {
      cause: error,
    });
  }
  if (damaged.has(code)) {
    return new MicaError('damaged-state', `${path} is damaged: ${wordsOf(error)}`, { cause: error });
  }
  return error;
}

const unwritable: ReadonlySet<string> = new Set([
  'SQLITE_FULL',
  'SQLITE_READONLY',
  'SQLITE_IOERR',
  'SQLITE_CANTOPEN',
  'SQLITE_PERM',
]);
const damaged: ReadonlySet<string> = new Set(['SQLITE_CORRUPT', 'SQLITE_NOTADB']);

/** `SQLITE_IOERR_WRITE` is a kind of `SQLITE_IOERR`. */
function primaryCodeOf(error: unknown): string | null {
  const code = error instanceof Error ? (error as { readonly code?: unknown }).code : undefined;
  const [, primary = null] = typeof code === 'string' ? (/^(SQLITE_[A-Z]+)/.exec(code) ?? []) : [];
  return primary;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
