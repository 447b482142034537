/** What `mica tenant` and `mica usage` ask, sent to the server that has the store open. */
import type { Connection } from './connection.js';

/** Answers are of the engine that the server runs: whoever asks knows their form. */
export interface RemoteTenancy {
  readonly add: (tenant: object) => Promise<unknown>;
  readonly list: () => Promise<unknown>;
  readonly change: (name: string, change: object) => Promise<unknown>;
  readonly remove: (name: string) => Promise<unknown>;
  readonly addToken: (name: string, lifeMs: number | null) => Promise<unknown>;
  readonly revokeToken: (name: string, token: string) => Promise<unknown>;
  readonly usage: (question: object, prices: readonly object[]) => Promise<unknown>;
}

export function tenancyAt({ call }: Connection): RemoteTenancy {
  const of = (name: string): string => `/v1/tenants/${encodeURIComponent(name)}`;
  return {
    add: (tenant) => call({ method: 'POST', path: '/v1/tenants', body: tenant, patienceMs: 0 }),
    list: () => call({ method: 'GET', path: '/v1/tenants' }),
    change: (name, change) => call({ method: 'PATCH', path: of(name), body: change }),
    remove: (name) => call({ method: 'DELETE', path: of(name) }),
    addToken: (name, lifeMs) =>
      call({ method: 'POST', path: `${of(name)}/tokens`, body: { lifeMs }, patienceMs: 0 }),
    revokeToken: (name, token) =>
      call({ method: 'DELETE', path: `${of(name)}/tokens/${encodeURIComponent(token)}` }),
    usage: (question, prices) => call({ method: 'POST', path: '/v1/usage', body: { question, prices } }),
  };
}
