/** The cluster that this process runs in, as its pod's service account sees it. */
import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Kubeconfig } from './kubeconfig-file.js';
import { kubeconfigShape } from './kubeconfig-shape.js';

/** Where the kubelet puts it, and renews the token about every hour. */
const usualFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** `null`: this is no pod, or one without a token. */
export function podAccount(
  env: Readonly<Record<string, string | undefined>>,
  folder = usualFolder,
): Kubeconfig | null {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '';
  const tokenFile = join(folder, 'token');
  if (host === '' || port === '' || !existsSync(tokenFile)) return null;
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const { clusters, users, contexts } = kubeconfigShape.parse({
    clusters: [{ name: 'pod', cluster: { server, 'certificate-authority': join(folder, 'ca.crt') } }],
    users: [{ name: 'pod', user: { tokenFile } }],
    contexts: [{ name: 'pod', context: { cluster: 'pod', user: 'pod' } }],
  });
  return {
    currentContext: 'pod',
    clusters: new Map(clusters),
    users: new Map(users),
    contexts: new Map(contexts),
  };
}
