/** What goes with each request of a user: headers and TLS. */
import { clientTlsOf, type ClientTls } from './client-tls.js';
import { impersonation } from './impersonation.js';
import type { ClusterFields, UserFields } from './kubeconfig-shape.js';
import { pluginCredentials } from './plugin-credentials.js';
import { contentOf } from './read-bounded.js';

export interface Credentials {
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly tls: ClientTls;
}

/** Asked before each request: a pod's token lives for an hour, and certificates are renewed in place. */
export function credentialsOf(cluster: ClusterFields, user: UserFields | null): () => Promise<Credentials> {
  const tlsNow = clientTlsOf(cluster, user);
  if (user === null) return () => Promise.resolve({ headers: {}, tls: tlsNow() });
  const tokenNow = user.tokenFile === '' ? () => user.token.trim() : tokenFileOf(user);
  const hasPlugin = user.exec != null || user['auth-provider'] != null;
  const plugin = hasPlugin ? pluginCredentials(user) : () => Promise.resolve({ headers: {}, tls: {} });
  return async () => {
    const given = await plugin();
    const said = authorization(tokenNow(), user);
    return {
      headers: { ...given.headers, ...said, ...impersonation(user) },
      tls: { ...tlsNow(), ...given.tls },
    };
  };
}

/** What the file holds now; what it held last, or the token beside it, while it holds none. */
function tokenFileOf({ token, tokenFile }: UserFields): () => string {
  let last = token;
  return () => {
    try {
      const now = contentOf(tokenFile).toString('utf8').trim();
      if (now === '') throw new Error(`${tokenFile} is empty`);
      last = now;
    } catch (error) {
      if (last === '') throw error;
    }
    return last;
  };
}

function authorization(token: string, { username, password }: UserFields): Record<string, string> {
  if (token !== '') return { authorization: `Bearer ${token}` };
  if (username === '') return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}
