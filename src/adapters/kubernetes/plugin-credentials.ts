/**
 * Users that get their credentials from a program or a log-in service. The library that knows how is large and slow to
 * load, so that it comes only where it is needed.
 */
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { ClientTls } from './client-tls.js';
import type { UserFields } from './kubeconfig-shape.js';

interface Given {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: ClientTls;
}

/** The answer is kept by the library for as long as it holds. */
export function pluginCredentials(user: UserFields): () => Promise<Given> {
  let loading: Promise<KubeConfig> | undefined;
  return async () => {
    loading ??= withLibrary(user);
    const options: RequestOptions = { headers: {} };
    const config = await loading;
    await config.applyToHTTPSOptions(options);
    const { headers, cert, key } = options;
    return {
      headers: Object.fromEntries(
        Object.entries(headers as Record<string, string>).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      tls: {
        ...(cert === undefined ? {} : { cert: cert as string }),
        ...(key === undefined ? {} : { key: key as string }),
      },
    };
  };
}

/** It is told of the user's plugin and nothing else: the rest is read by Mica itself. */
async function withLibrary({ exec, 'auth-provider': authProvider }: UserFields): Promise<KubeConfig> {
  const { KubeConfig: Library } = await import('@kubernetes/client-node');
  const config = new Library();
  config.loadFromOptions({
    clusters: [],
    users: [
      { name: 'user', ...(exec == null ? {} : { exec }), ...(authProvider == null ? {} : { authProvider }) },
    ],
    contexts: [{ name: 'context', cluster: 'none', user: 'user' }],
    currentContext: 'context',
  });
  return config;
}
