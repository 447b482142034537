/** Which cluster is meant: a kubeconfig file, those that kubectl would read, or the cluster that this process runs in. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { MicaError } from '#core/errors';
import { conflictIn } from './kubeconfig-conflicts.js';
import { readKubeconfig, type Kubeconfig } from './kubeconfig-file.js';
import type { ClusterFields, UserFields } from './kubeconfig-shape.js';
import { podAccount } from './pod-account.js';

export interface ClusterChoice {
  /** A file, as kubectl reads it; left out: those of $KUBECONFIG, ~/.kube/config, or the pod's own service account. */
  readonly kubeconfig?: string;
  /** One of its contexts; left out: the current one. */
  readonly context?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where a pod's service account lies; left out: where Kubernetes puts it. */
  readonly podAccountFolder?: string;
}

export interface LoadedConfig {
  /** What the user would look at: the files. */
  readonly from: string;
  /** Without a slash at its end. */
  readonly server: string;
  readonly cluster: ClusterFields;
  /** `null`: requests are anonymous. */
  readonly user: UserFields | null;
}

export function loadKubeconfig(choice: ClusterChoice): LoadedConfig {
  const { config, from } = chosen(choice);
  const wanted = choice.context ?? config.currentContext;
  const context = config.contexts.get(wanted);
  if (context === undefined) {
    const has = [...config.contexts.keys()].join(', ') || 'it has none';
    const message =
      wanted === ''
        ? `${from} names no current context: ${has}.`
        : `${from} has no context "${wanted}": ${has}.`;
    throw new MicaError('bad-document', message, { next: 'Name one of its contexts with --context.' });
  }
  const cluster = config.clusters.get(context.cluster);
  const user = config.users.get(context.user) ?? null;
  if (cluster === undefined) throw notUsable(`${from}: the context "${wanted}" has no cluster.`);
  const { server } = cluster;
  if (!/^https?:\/\//.test(server) || !URL.canParse(server))
    throw notUsable(`${from}: the server of the cluster "${context.cluster}" is not an address.`);
  const conflict = conflictIn(cluster, user);
  if (conflict !== null) throw notUsable(`${from}: the context "${wanted}" has ${conflict}.`);
  return { from, server: server.replace(/\/+$/, ''), cluster, user };
}

function notUsable(message: string): MicaError {
  return new MicaError('bad-document', message, { next: 'Name the file that kubectl uses.' });
}

function chosen({ kubeconfig, context, env = process.env, podAccountFolder }: ClusterChoice): {
  readonly config: Kubeconfig;
  readonly from: string;
} {
  if (kubeconfig !== undefined) return { config: readKubeconfig(kubeconfig), from: kubeconfig };
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  const usual = join(env['HOME'] ?? homedir(), '.kube', 'config');
  const files = (listed.length > 0 ? listed : [usual]).filter((file) => existsSync(file));
  if (files.length > 0) return { config: merged(files.map(readKubeconfig)), from: files.join(delimiter) };
  const pod = podAccount(env, podAccountFolder);
  if (pod !== null) return { config: pod, from: 'the service account of this pod' };
  const where = listed.length > 0 ? `$KUBECONFIG names ${listed.join(delimiter)}` : `there is no ${usual}`;
  throw new MicaError('no-cluster', `No kubeconfig was found: ${where}, and this is not a pod.`, {
    ...(context === undefined
      ? {}
      : { next: `Name the file with the context "${context}": --kubeconfig FILE.` }),
  });
}

/** The first file that sets something wins. */
function merged(configs: readonly Kubeconfig[]): Kubeconfig {
  const first = <T>(maps: readonly ReadonlyMap<string, T>[]): ReadonlyMap<string, T> => {
    const found = new Map<string, T>();
    for (const map of maps) for (const [name, value] of map) if (!found.has(name)) found.set(name, value);
    return found;
  };
  return {
    currentContext: configs.map(({ currentContext }) => currentContext).find((name) => name !== '') ?? '',
    clusters: first(configs.map(({ clusters }) => clusters)),
    users: first(configs.map(({ users }) => users)),
    contexts: first(configs.map(({ contexts }) => contexts)),
  };
}
