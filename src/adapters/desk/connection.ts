/**
 * A connection to the server of this machine. A server that is gone may come back: calls are made again until somebody's
 * patience ends, which is safe since each can be made twice.
 */
import { Pool } from 'undici';
import { errorCatalogue, MicaError, type ErrorCode } from '#core/errors';
import type { Clock } from '#ports/clock';

export interface ConnectionOptions {
  readonly socket: string;
  readonly token: string;
  readonly clock: Clock;
  /** How long a server that does not answer is tried again. */
  readonly patienceMs: number;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: object;
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

export interface Connection {
  /** The JSON of the answer. Throws the server's MicaError, or `server-unreachable`. */
  readonly call: (call: Call) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

const firstWaitMs = 50;
const longestWaitMs = 500;
/** Emptying a slice takes up to half a minute, ending a holder first another. */
const answerMs = 120_000;

export function connectTo({ socket, token, clock, patienceMs }: ConnectionOptions): Connection {
  // The host is a name that the protocol wants; nobody looks it up.
  const pool = new Pool('http://mica', {
    socketPath: socket,
    connections: 8,
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
    connectTimeout: 5_000,
  });
  return {
    call: async (call) => {
      const deadlineMs = clock.nowMs() + (call.patienceMs ?? patienceMs);
      for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, waitMs * 2)) {
        try {
          return await callOnce(pool, token, call);
        } catch (error) {
          if (error instanceof MicaError) throw error;
          const isOver = clock.nowMs() >= deadlineMs || call.signal?.aborted === true;
          if (isOver || !isAbsence(error)) throw unreachable(socket, error);
          await clock.sleep(waitMs, call.signal);
        }
      }
    },
    close: () => pool.destroy(),
  };
}

async function callOnce(pool: Pool, token: string, { method, path, body }: Call): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const { statusCode, body: answer } = await pool.request({
    method,
    path,
    headers: body === undefined ? { authorization: headers.authorization } : headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (statusCode === stopping) throw Object.assign(new Error('the server stops'), { code: 'ECONNRESET' });
  const value = parsed(text);
  if (statusCode === 200) return value;
  throw failureIn(value) ?? new MicaError('not-the-api', `the server answers ${statusCode} without a reason`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new MicaError('not-the-api', 'the server answers something that is not JSON', { cause });
  }
}

function failureIn(value: unknown): MicaError | null {
  const { error } = (value ?? {}) as {
    readonly error?: Partial<Record<'code' | 'message' | 'next', unknown>>;
  };
  if (typeof error?.code !== 'string' || !(error.code in errorCatalogue)) return null;
  if (typeof error.message !== 'string' || typeof error.next !== 'string') return null;
  return new MicaError(error.code as ErrorCode, error.message, { next: error.next });
}

/** What a server says to those that are still connected when it is asked to end. */
const stopping = 503;

/** No server listens, or it went away in the middle. */
function isAbsence(error: unknown): boolean {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  const codes = [
    'ECONNREFUSED',
    'ENOENT',
    'ECONNRESET',
    'EPIPE',
    'UND_ERR_SOCKET',
    'UND_ERR_CONNECT_TIMEOUT',
  ];
  return codes.includes(code ?? '') || message === 'other side closed';
}

function unreachable(socket: string, cause: unknown): MicaError {
  const { code, message } = cause as { readonly code?: string; readonly message?: string };
  return new MicaError(
    'server-unreachable',
    `no server answers on ${socket}: ${code ?? message ?? 'closed'}`,
    {
      cause,
      next: 'Start `mica serve`, or ask whoever runs the machine to; --socket names another socket.',
    },
  );
}
