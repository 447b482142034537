/** Plain HTTPS requests to an API server, with no client in between that could be kinder than the server. */
import { request as httpsRequest, type Agent } from 'node:https';
import type { Identity } from './api-server/certificates.js';
import type { Json } from './api-server/json.js';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Json;
}

export interface RawTarget {
  readonly url: string;
  readonly ca: string;
}

/** As whom: a bearer token, `''` for nobody, or a client certificate. */
export type RawUser = string | Identity;

/** A string body is sent as it is; an object as JSON. */
export function raw(
  server: RawTarget,
  user: RawUser,
  method: string,
  path: string,
  body?: Json,
  headers: Readonly<Record<string, string>> = {},
  agent: Agent | false = false,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const request = httpsRequest(
      `${server.url}${path}`,
      {
        method,
        ca: server.ca,
        agent,
        ...(typeof user === 'string' ? {} : { cert: user.certificate, key: user.key }),
        headers: {
          ...(typeof user !== 'string' || user === '' ? {} : { authorization: `Bearer ${user}` }),
          ...(sent === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(sent)) }),
          'user-agent': 'raw/1',
          ...headers,
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', reject).on('end', () => {
          const lines = text.trim().split('\n');
          const isWatch = path.includes('watch=true') && response.statusCode === 200;
          const parsed: Json = isWatch ? lines.filter(Boolean).map((line) => JSON.parse(line)) : parse(text);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed });
        });
      },
    );
    request.on('error', reject).end(sent);
  });
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
