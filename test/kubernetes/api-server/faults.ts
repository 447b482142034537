/** Faults that a test asks for: an answer instead of the work, a delay, a cut connection, a watch that ends early. */
import { ApiError } from './status.js';

/** A request as the log and the faults see it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly user: string;
  /** get, list, watch, create, update, patch, delete or deletecollection; `get` for a path that is no resource. */
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly userAgent: string;
}

export type Fault =
  | {
      readonly kind: 'answer';
      readonly code: number;
      readonly reason?: string;
      readonly message?: string;
      readonly retryAfterSeconds?: number;
    }
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection goes before the server did anything, or when it has done everything but answer. */
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' }
  | { readonly kind: 'watch-cut'; readonly afterEvents: number }
  | { readonly kind: 'watch-gone'; readonly afterEvents: number };

export type FaultPlan = (request: SeenRequest) => Fault | undefined;

const reasons: Readonly<Record<number, string>> = {
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

export function asError(fault: Extract<Fault, { kind: 'answer' }>): ApiError {
  const {
    code,
    reason = reasons[code] ?? '',
    message = 'a fault that the test asked for',
    retryAfterSeconds,
  } = fault;
  return new ApiError(code, reason, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
}
