/** The TLS side of a connection: whom we trust and who we are, from files that may be renewed at any time. */
import { createSecureContext } from 'node:tls';
import type { ClusterFields, UserFields } from './kubeconfig-shape.js';
import { contentOf } from './read-bounded.js';

export interface ClientTls {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly rejectUnauthorized?: boolean;
  readonly servername?: string;
}

/** What the files hold now; what they held last while that cannot be used, as between a new certificate and its key. */
export function clientTlsOf(cluster: ClusterFields, user: UserFields | null): () => ClientTls {
  if (cluster.server.startsWith('http:')) return () => ({});
  let last: ClientTls | undefined;
  return () => {
    try {
      const now = asRead(cluster, user);
      if (last === undefined || !isSame(now, last)) {
        createSecureContext(now);
        last = now;
      }
    } catch (error) {
      if (last === undefined) throw error;
    }
    return last;
  };
}

function asRead(cluster: ClusterFields, user: UserFields | null): ClientTls {
  const ca = bytesOf(cluster['certificate-authority'], cluster['certificate-authority-data']);
  const cert = user === null ? null : bytesOf(user['client-certificate'], user['client-certificate-data']);
  const key = user === null ? null : bytesOf(user['client-key'], user['client-key-data']);
  const servername = cluster['tls-server-name'];
  return {
    ...(ca === null ? {} : { ca }),
    ...(cert === null || key === null ? {} : { cert, key }),
    ...(cluster['insecure-skip-tls-verify'] ? { rejectUnauthorized: false } : {}),
    ...(servername === '' ? {} : { servername }),
  };
}

function bytesOf(file: string, data: string): Buffer | null {
  if (data !== '') return Buffer.from(data, 'base64');
  return file === '' ? null : contentOf(file);
}

function isSame(one: ClientTls, other: ClientTls): boolean {
  return (['ca', 'cert', 'key'] as const).every((part) =>
    Buffer.from(one[part] ?? '').equals(Buffer.from(other[part] ?? '')),
  );
}
