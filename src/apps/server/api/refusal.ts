/** Failures as answers: the same codes and words as on the command line, and nothing of the inside. */
import { z, ZodError } from 'zod';
import { errorCatalogue, MicaError, type ErrorCode } from '#core/errors';

export interface Refusal {
  readonly status: number;
  readonly body: {
    readonly error: { readonly code: ErrorCode; readonly message: string; readonly next: string };
  };
}

/** `isOurs`: nobody who called could have done better, so that it belongs into the log. */
export function refusalOf(error: unknown): Refusal & { readonly isOurs: boolean } {
  if (error instanceof ZodError) return { ...badRequest(z.prettifyError(error)), isOurs: false };
  if (error instanceof MicaError) {
    return { ...refusal(statusOf(error.code), error.code, error.message, error.next), isOurs: true };
  }
  const status = (error as { readonly statusCode?: unknown } | null)?.statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return { ...badRequest(error instanceof Error ? error.message : 'bad request', status), isOurs: false };
  }
  return { ...refusal(500, 'internal', 'the server failed; its log says how'), isOurs: true };
}

export function badRequest(message: string, status = 400): Refusal {
  return refusal(status, 'bad-usage', message, 'Use a mica of the same version as the server.');
}

function refusal(
  status: number,
  code: ErrorCode,
  message: string,
  next: string = errorCatalogue[code].next,
): Refusal {
  return { status, body: { error: { code, message, next } } };
}

function statusOf(code: ErrorCode): number {
  if (code === 'bad-usage') return 400;
  return code === 'access-refused' ? 403 : 500;
}
