/** Nodes, pods and DRA's objects of one cluster, read once or kept up to date. */
import { MicaError } from '#core/errors';
import type { ClusterState } from '#core/cluster/objects';
import type { Clock } from '#ports/clock';
import type { ApiRefusal, ClusterWatch } from '#ports/cluster-api';
import { ClusterView } from './cluster-view.js';
import type { Connection } from './connection.js';
import { informer, type Informer, type Kind } from './informer.js';
import { interning } from './interning.js';
import { claimKind, nodeKind, podKind, sliceKind } from './kinds.js';
import { listAll } from './lists.js';
import { lookAtDra } from './look-at-dra.js';
import { podsOfNodes } from './pods-of-nodes.js';

export interface LookOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly pageSize: number;
  readonly watchSeconds: number;
  readonly random: () => number;
  readonly onNote: (note: string) => void;
}

/** One whole look. Nodes and DRA come before pods: they say whose pods matter. */
export async function readCluster(options: LookOptions, signal: AbortSignal): Promise<ClusterState> {
  const view = new ClusterView();
  const intern = interning();
  const once = async <T>(kind: Kind<T>): Promise<boolean> => {
    let found = new Map<string, T>();
    const take = (raw: unknown): void => {
      const { key, value } = kind.read(raw);
      if (value !== null) found.set(key, value);
    };
    const restart = (): void => void (found = new Map());
    const listed = await listAll(kind.path, { ...options, may: kind.may }, { restart, take }, signal);
    kind.replace(found);
    return listed.kind === 'listed';
  };
  mustBe(await once(nodeKind(view, intern)), options.connection);
  const slices = (at: string): Promise<boolean> => once(sliceKind(view, at));
  const claims = (at: string): Promise<boolean> => once(claimKind(view, at));
  if (await lookAtDra({ slices, claims }, options, signal)) view.withDra();
  mustBe(await once(podKind(view, intern)), options.connection);
  return view.state();
}

export async function watchCluster(options: LookOptions, signal: AbortSignal): Promise<ClusterWatch> {
  const view = new ClusterView();
  const intern = interning();
  const stop = new AbortController();
  const troubles = new Map<string, ApiRefusal>();
  const onTrouble =
    (path: string) =>
    (why: ApiRefusal | null): void => {
      const was = troubles.size;
      if (why === null) troubles.delete(path);
      else troubles.set(path, why);
      if ((was === 0) !== (troubles.size === 0)) view.countChange();
    };
  const of = <T>(kind: Kind<T>): Informer => informer(kind, { ...options, onTrouble: onTrouble(kind.path) });
  const begun: Informer[] = [];
  const begin = async (one: Informer): Promise<boolean> => {
    const isThere = (await one.start(signal)) === 'listed';
    if (isThere) begun.push(one);
    return isThere;
  };
  mustBe(await begin(of(nodeKind(view, intern))), options.connection);
  const slices = (at: string): Promise<boolean> => begin(of(sliceKind(view, at)));
  const claims = (at: string): Promise<boolean> => begin(of(claimKind(view, at)));
  if (await lookAtDra({ slices, claims }, options, signal)) view.withDra();
  const { kind: pods, learn } = podsOfNodes(podKind(view, intern), view, options, stop.signal);
  mustBe(await begin(of(pods)), options.connection);
  view.onGpuNode = learn;
  const running = begun.map((one) => one.run(stop.signal));
  return {
    state: () => view.state(),
    node: (name) => view.node(name),
    podsOn: (node) => view.podsOn(node),
    version: () => view.version,
    trouble: () => [...troubles.values()][0] ?? null,
    changed: async (since, until) => {
      while (view.version <= since && !until.aborted && !stop.signal.aborted) {
        const { changed, stop: giveUp } = view.next();
        until.addEventListener('abort', giveUp, { once: true });
        await changed;
        until.removeEventListener('abort', giveUp);
      }
    },
    close: async () => {
      stop.abort();
      view.wakeAll();
      await Promise.all(running);
    },
  };
}

function mustBe(isThere: boolean, { shown }: Connection): void {
  if (isThere) return;
  throw new MicaError('not-the-api', `${shown} has neither nodes nor pods: this is not a Kubernetes API.`);
}
