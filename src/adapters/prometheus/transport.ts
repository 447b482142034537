/** One HTTP exchange with a Prometheus, and when it is worth another try. */
import { request } from 'undici';
import type { Clock } from '#ports/clock';
import { dispatcherTo } from './dispatcher.js';
import type { Endpoint, PrometheusTls } from './endpoint.js';
import { codeOf, connectionFailure } from './failures.js';

export interface Call {
  readonly method: 'GET' | 'POST';
  /** After the endpoint's path: `/api/v1/query`. */
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export type HttpAnswer<T> =
  | { readonly kind: 'read'; readonly value: T }
  /** Any status but 200, with what the server said, cut short. */
  | { readonly kind: 'status'; readonly status: number; readonly said: string }
  | { readonly kind: 'timed-out' };

export interface Transport {
  /**
   * `read` takes the whole body of a 200; it begins anew when the connection broke and the call is repeated. Statuses
   * that mean "later" (429, 502, 503, 504) are repeated too, unless it was the query that took too long.
   */
  readonly exchange: <T>(
    call: Call,
    read: (body: AsyncIterable<Uint8Array>) => Promise<T>,
    signal: AbortSignal,
  ) => Promise<HttpAnswer<T>>;
  readonly close: () => Promise<void>;
}

export interface TransportOptions {
  readonly endpoint: Endpoint;
  readonly tls: PrometheusTls;
  readonly connections: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Waits between tries: four tries over about four seconds. */
const waitsMs = [500, 1000, 2000];
/** A server that asks for more patience than this is given up. */
const longestWaitMs = 30_000;
const laterStatuses = new Set([429, 502, 503, 504]);
const slowAnswer = /UND_ERR_(HEADERS|BODY)_TIMEOUT/;
const brokenConnection = /ECONNRESET|EPIPE|UND_ERR_SOCKET|ECONNABORTED/;

/** A status that means "later", on its way to the next try. */
class Later extends Error {
  readonly afterMs: number | null;
  constructor(afterMs: number | null) {
    super('later');
    this.afterMs = afterMs;
  }
}

export function httpTransport({ endpoint, tls, connections, timeoutMs, clock }: TransportOptions): Transport {
  const { dispatcher, isProxied } = dispatcherTo(endpoint.origin, { tls, connections, timeoutMs });
  const shown = isProxied ? `${endpoint.shown}, through the proxy of the environment,` : endpoint.shown;

  const once = async <T>(
    { method, path, parameters }: Call,
    read: (body: AsyncIterable<Uint8Array>) => Promise<T>,
    signal: AbortSignal,
    isLast: boolean,
  ): Promise<HttpAnswer<T>> => {
    const form = new URLSearchParams(parameters).toString();
    const target = `${endpoint.origin}${endpoint.path}${path}`;
    const { statusCode, headers, body } = await request(method === 'GET' ? `${target}?${form}` : target, {
      dispatcher,
      method,
      signal,
      headers: {
        accept: 'application/json',
        'user-agent': 'mica',
        ...(method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
        ...endpoint.headers,
      },
      body: method === 'POST' ? form : null,
    });
    if (statusCode === 200) return { kind: 'read', value: await read(body as AsyncIterable<Uint8Array>) };
    const said = await beginningOf(body as AsyncIterable<Uint8Array>);
    if (!isLast && laterStatuses.has(statusCode) && !said.includes('"errorType":"timeout"'))
      throw new Later(retryAfterMs(headers['retry-after'], clock.nowMs()));
    return { kind: 'status', status: statusCode, said };
  };

  const exchange: Transport['exchange'] = async (call, read, signal) => {
    for (let attempt = 0; ; attempt += 1) {
      const waitMs = waitsMs[attempt];
      try {
        return await once(call, read, signal, waitMs === undefined);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Later) && !isConnectionError(error)) throw error;
        if (slowAnswer.test(codeOf(error))) return { kind: 'timed-out' };
        if (waitMs === undefined || !(error instanceof Later || brokenConnection.test(codeOf(error))))
          throw connectionFailure(shown, error);
        const askedMs = error instanceof Later ? error.afterMs : null;
        await pause(clock, Math.min(askedMs ?? waitMs, longestWaitMs), signal);
      }
    }
  };
  return { exchange, close: () => dispatcher.close() };
}

/** Enough for an error message; the rest is read and dropped, so that the connection can be used again. */
async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of body) if (text.length < 4096) text += Buffer.from(chunk).toString('utf8');
  return text.slice(0, 4096);
}

function isConnectionError(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(E[A-Z]|UND_ERR_|CERT|SELF_SIGNED|UNABLE_TO|DEPTH_ZERO|HPE_)/.test(codeOf(error))
  );
}

/** Seconds, or a date. */
function retryAfterMs(header: string | string[] | undefined, nowMs: number): number | null {
  if (typeof header !== 'string') return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener('abort', stop, { once: true });
  });
  await Promise.race([clock.sleep(ms), stopped]);
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
}
