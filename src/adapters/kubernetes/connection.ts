/** HTTP with a Kubernetes API server: credentials, TLS, proxies, connections that are kept, answers of bounded size. */
import { createHash } from 'node:crypto';
import { Agent, ProxyAgent, request as send, type Dispatcher } from 'undici';
import { MicaError } from '#core/errors';
import type { ClientTls } from './client-tls.js';
import { credentialsOf, type Credentials } from './credentials.js';
import { loadKubeconfig, type ClusterChoice } from './kubeconfig.js';
import { proxyFor } from './proxy.js';

export interface ConnectionOptions extends ClusterChoice {
  readonly timeoutMs?: number;
}

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/api/v1/nodes`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  /** Of the answer; longer ones are refused. */
  readonly mostBytes?: number;
  /** Of silence. */
  readonly timeoutMs?: number;
}

export interface ReplyHead {
  readonly status: number;
  /** As the server asks; `null`: it does not. */
  readonly retryAfterMs: number | null;
}

export interface Reply extends ReplyHead {
  readonly body: string;
}

export interface StreamedReply extends ReplyHead {
  readonly stream: AsyncIterable<Uint8Array>;
}

/** Both throw MicaError where there is no answer, and the signal's reason where it aborts. */
export interface Connection {
  /** The server as a user knows it. */
  readonly shown: string;
  readonly send: (request: ApiRequest) => Promise<Reply>;
  /** The body as it comes. Whoever reads must read to its end or break off. */
  readonly stream: (request: ApiRequest) => Promise<StreamedReply>;
  readonly close: () => Promise<void>;
}

/** Pods are some KiB each, with annotations up to some hundred. */
const mostBytesOfAnswer = 64 * 1024 * 1024;

export function connect({ timeoutMs = 60_000, env = process.env, ...choice }: ConnectionOptions): Connection {
  const { from, server, cluster, user } = loadKubeconfig({ env, ...choice });
  const proxy = proxyFor(server, cluster['proxy-url'], env);
  const shown = new URL(server).origin;
  const credentialsNow = credentialsOf(cluster, user);
  let kept: { readonly key: string; readonly dispatcher: Dispatcher } | undefined;

  const credentials = async (): Promise<Credentials> => {
    try {
      return await credentialsNow();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new MicaError('access-refused', `${from}: its credentials cannot be had: ${why}`, {
        cause,
        next: 'Check that kubectl works with the same kubeconfig and context.',
      });
    }
  };

  /** One for as long as the certificates stay the same: files and exec plugins may renew them. */
  const dispatcherFor = (tls: ClientTls): Dispatcher => {
    const key = fingerprintOf(tls);
    if (kept?.key !== key) {
      const old = kept?.dispatcher;
      kept = { key, dispatcher: dispatcherWith(tls, proxy, timeoutMs) };
      void old?.close();
    }
    return kept.dispatcher;
  };

  const exchange = async (asked: ApiRequest): Promise<Dispatcher.ResponseData> => {
    const { method = 'GET', path, query, body, contentType, accept = 'application/json', signal } = asked;
    const { headers: access, tls } = await credentials();
    signal?.throwIfAborted();
    const search = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
    const text = body === undefined ? null : JSON.stringify(body);
    const headers = {
      ...access,
      ...(text === null ? {} : { 'content-type': contentType ?? 'application/json' }),
      accept,
      'user-agent': 'mica',
    };
    return send(`${server}${path}${search}`, {
      method,
      headers,
      body: text,
      dispatcher: dispatcherFor(tls),
      headersTimeout: asked.timeoutMs ?? timeoutMs,
      bodyTimeout: asked.timeoutMs ?? timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
  };

  const failure = (cause: unknown, signal: AbortSignal | undefined): unknown => {
    if (signal?.aborted === true) return signal.reason;
    if (cause instanceof MicaError) return cause;
    return new MicaError(
      'server-unreachable',
      `The Kubernetes API at ${shown} does not answer (${wordFor(cause)}).`,
      { cause, ...nextFor(cause) },
    );
  };

  return {
    shown,
    send: async (asked) => {
      try {
        const { statusCode, headers, body } = await exchange(asked);
        const text = await textOf(body, asked.mostBytes ?? mostBytesOfAnswer, shown);
        return { ...headOf(statusCode, headers), body: text };
      } catch (cause) {
        throw failure(cause, asked.signal);
      }
    },
    stream: async (asked) => {
      try {
        const { statusCode, headers, body } = await exchange(asked);
        return { ...headOf(statusCode, headers), stream: body as AsyncIterable<Uint8Array> };
      } catch (cause) {
        throw failure(cause, asked.signal);
      }
    },
    close: async () => {
      await kept?.dispatcher.destroy();
    },
  };
}

function fingerprintOf({ ca, cert, key, rejectUnauthorized, servername }: ClientTls): string {
  const hash = createHash('sha256');
  for (const part of [ca, cert, key, rejectUnauthorized, servername]) {
    hash.update(part instanceof Buffer ? part : JSON.stringify(part ?? null)).update('\0');
  }
  return hash.digest('hex');
}

function dispatcherWith(tls: ClientTls, proxy: string | null, timeoutMs: number): Dispatcher {
  const connect = { timeout: Math.min(timeoutMs, 10_000), ...tls };
  if (proxy === null) return new Agent({ connect });
  if (!/^https?:/.test(proxy) || !URL.canParse(proxy))
    throw new MicaError('bad-document', `The proxy ${proxy} is none that Mica can use.`, {
      next: 'Name a proxy that starts with http:// or https://.',
    });
  return new ProxyAgent({ uri: proxy, requestTls: connect });
}

function headOf(status: number, headers: Record<string, string | string[] | undefined>): ReplyHead {
  const asked = headers['retry-after'];
  const seconds = typeof asked === 'string' && /^\d+$/.test(asked.trim()) ? Number(asked) : null;
  return { status, retryAfterMs: seconds === null ? null : seconds * 1000 };
}

async function textOf(body: AsyncIterable<Uint8Array>, mostBytes: number, shown: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > mostBytes)
      throw new MicaError('not-the-api', `${shown} answers with more than Mica reads at once.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The system's or undici's own code, also where it lies under other errors. */
function wordFor(cause: unknown): string {
  for (let error = cause; error instanceof Error; error = error.cause) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined) return code;
    if (error instanceof AggregateError && error.errors.length > 0) return wordFor(error.errors[0]);
  }
  return cause instanceof Error ? cause.message : String(cause);
}

function nextFor(cause: unknown): { readonly next?: string } {
  return /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO/.test(wordFor(cause))
    ? { next: 'Check the certificate-authority of the kubeconfig: the certificate is not signed by it.' }
    : {};
}
