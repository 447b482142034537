/** Where a Prometheus is and how one is let in: address, credentials, certificates. None of the secrets is ever printed. */
import { readFileSync } from 'node:fs';
import { MicaError } from '#core/errors';

export type PrometheusAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'basic'; readonly user: string; readonly password: string };

export interface PrometheusTls {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Takes any certificate. */
  readonly insecure?: boolean;
}

export interface Endpoint {
  readonly origin: string;
  /** `/prometheus` of `http://mimir/prometheus/`; empty: none. */
  readonly path: string;
  /** Sent with every request: credentials are in here. */
  readonly headers: Readonly<Record<string, string>>;
  /** For messages: the address without credentials and query. */
  readonly shown: string;
}

export function endpointOf(
  url: string,
  auth: PrometheusAuth,
  headers: Readonly<Record<string, string>>,
): Endpoint {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new MicaError('bad-url', `The address of the Prometheus is no URL: "${withoutCredentials(url)}".`);
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    throw new MicaError(
      'bad-url',
      `A Prometheus speaks HTTP, and "${withoutCredentials(url)}" is something else.`,
    );
  const path = parsed.pathname.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
  const inUrl: PrometheusAuth =
    parsed.username === '' && parsed.password === ''
      ? { kind: 'none' }
      : {
          kind: 'basic',
          user: decodeURIComponent(parsed.username),
          password: decodeURIComponent(parsed.password),
        };
  return {
    origin: parsed.origin,
    path,
    headers: { ...headers, ...authorization(auth.kind === 'none' ? inUrl : auth) },
    shown: `${parsed.origin}${path}`,
  };
}

function authorization(auth: PrometheusAuth): Record<string, string> {
  switch (auth.kind) {
    case 'none':
      return {};
    case 'bearer':
      return { authorization: `Bearer ${auth.token.trim()}` };
    case 'basic':
      return { authorization: `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}` };
  }
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//');
}

/** What undici's `connect` takes. */
export function tlsOptions(tls: PrometheusTls): {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  rejectUnauthorized?: false;
} {
  return {
    ...(tls.caFile === undefined ? {} : { ca: readSecret(tls.caFile, 'the CA certificate') }),
    ...(tls.certFile === undefined ? {} : { cert: readSecret(tls.certFile, 'the client certificate') }),
    ...(tls.keyFile === undefined
      ? {}
      : { key: readSecret(tls.keyFile, 'the key of the client certificate') }),
    ...(tls.insecure === true ? { rejectUnauthorized: false as const } : {}),
  };
}

function readSecret(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const why = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : 'unknown';
    throw new MicaError('unreadable-file', `${file}, ${what}, cannot be read (${String(why)}).`, { cause });
  }
}
