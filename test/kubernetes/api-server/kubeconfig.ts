/** A kubeconfig of one cluster and one user. */
import { stringify } from 'yaml';
import type { Json } from './json.js';

export function kubeconfig(server: string, ca: string, user: Json): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'test', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name: 'user', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'user', namespace: 'default' } }],
    'current-context': 'test',
  });
}
