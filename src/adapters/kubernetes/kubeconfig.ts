/** Which cluster is meant: a kubeconfig file, those that kubectl would read, or the cluster that this process runs in. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { MicaError } from '#core/errors';

export interface ClusterChoice {
  /** A file, as kubectl reads it; left out: those of $KUBECONFIG, ~/.kube/config, or the pod's own service account. */
  readonly kubeconfig?: string;
  /** One of its contexts; left out: the current one. */
  readonly context?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface LoadedConfig {
  readonly config: KubeConfig;
  /** What the user would look at: the files. */
  readonly from: string;
  readonly server: string;
}

const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

export function loadKubeconfig(choice: ClusterChoice): LoadedConfig {
  const { config, from } = chosen(choice);
  const contexts = config.getContexts().map(({ name }) => name);
  const wanted = choice.context ?? config.getCurrentContext();
  if (!contexts.includes(wanted)) {
    const has = contexts.join(', ') || 'it has none';
    const message =
      wanted === ''
        ? `${from} names no current context: ${has}.`
        : `${from} has no context "${wanted}": ${has}.`;
    throw new MicaError('bad-document', message, { next: 'Name one of its contexts with --context.' });
  }
  config.setCurrentContext(wanted);
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new MicaError('bad-document', `${from}: the context "${wanted}" has no cluster.`, {
      next: 'Name the file that kubectl uses.',
    });
  if (!/^https?:\/\//.test(cluster.server) || !URL.canParse(cluster.server))
    throw new MicaError(
      'bad-document',
      `${from}: the server of the cluster "${cluster.name}" is not an address.`,
      {
        next: 'Name the file that kubectl uses.',
      },
    );
  // There is nothing to verify without TLS, as behind `kubectl proxy`; the client refuses it unless told so.
  if (cluster.server.startsWith('http:')) {
    config.clusters = config.clusters.map((one) => (one === cluster ? { ...one, skipTLSVerify: true } : one));
  }
  return { config, from, server: cluster.server.replace(/\/+$/, '') };
}

function chosen({ kubeconfig, context, env = process.env }: ClusterChoice): {
  readonly config: KubeConfig;
  readonly from: string;
} {
  if (kubeconfig !== undefined) return { config: loaded(kubeconfig), from: kubeconfig };
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  const usual = join(env['HOME'] ?? homedir(), '.kube', 'config');
  const files = (listed.length > 0 ? listed : [usual]).filter((file) => existsSync(file));
  if (files.length > 0) return { config: merged(files.map(loaded)), from: files.join(delimiter) };
  if (env['KUBERNETES_SERVICE_HOST'] !== undefined && existsSync(serviceAccountToken)) {
    const config = new KubeConfig();
    config.loadFromCluster();
    return { config, from: 'the service account of this pod' };
  }
  const where = listed.length > 0 ? `$KUBECONFIG names ${listed.join(delimiter)}` : `there is no ${usual}`;
  throw new MicaError('no-cluster', `No kubeconfig was found: ${where}, and this is not a pod.`, {
    ...(context === undefined
      ? {}
      : { next: `Name the file with the context "${context}": --kubeconfig FILE.` }),
  });
}

function loaded(file: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
  } catch (cause) {
    const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
    if (code !== undefined)
      throw new MicaError('unreadable-file', `${file} cannot be read (${code}).`, { cause });
    throw new MicaError('bad-document', `${file} is not a kubeconfig.`, {
      cause,
      next: 'Name the file that kubectl uses.',
    });
  }
  return config;
}

/** The first file that sets something wins. */
function merged(configs: readonly KubeConfig[]): KubeConfig {
  const all = new KubeConfig();
  const first = <T extends { readonly name: string }>(of: (config: KubeConfig) => T[]): T[] => {
    const found = new Map<string, T>();
    for (const config of configs)
      for (const one of of(config)) if (!found.has(one.name)) found.set(one.name, one);
    return [...found.values()];
  };
  all.clusters = first((config) => config.clusters);
  all.users = first((config) => config.users);
  all.contexts = first((config) => config.contexts);
  all.currentContext = configs.map((config) => config.currentContext).find((name) => name) ?? '';
  return all;
}
