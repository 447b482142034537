/** The Kubernetes adapter on a strict API server, and the hands of others in that cluster. */
import { kubernetesApi, type KubernetesApi, type KubernetesOptions } from '#adapters/kubernetes/cluster-api';
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';
import type { Clock } from '#ports/clock';
import { startApiServer, type ApiServer, type ApiServerOptions } from '../kubernetes/api-server/server.js';
import { wireNode, wirePod } from './wire-objects.js';

export interface ServedCluster {
  readonly server: ApiServer;
  readonly api: KubernetesApi;
  readonly world: ServedWorld;
  readonly close: () => Promise<void>;
}

/** What others do, by the back doors of the API server in memory: done when it is said. */
interface ServedWorld {
  readonly putNode: (node: Partial<ClusterNode> & { readonly name: string }) => void;
  readonly putPod: (pod: Partial<ClusterPod> & { readonly name: string }) => void;
  readonly putConfigMap: (namespace: string, name: string) => void;
  readonly removeNode: (name: string) => Promise<void>;
  readonly removePod: (namespace: string, name: string) => Promise<void>;
}

/** Waits are short: no test is about how long they are. */
export const hurriedClock: Clock = {
  nowMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const timer = setTimeout(done, Math.min(ms, 20));
      function done(): void {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      }
      signal?.addEventListener('abort', done, { once: true });
    }),
};

export async function serveCluster(
  options: ApiServerOptions & { readonly adapter?: Partial<KubernetesOptions> } = {},
): Promise<ServedCluster> {
  const server = await startApiServer(options);
  const api = kubernetesApi({
    kubeconfig: server.kubeconfigPath,
    clock: hurriedClock,
    pageSize: 2,
    env: {},
    ...options.adapter,
  });
  const remove = async (path: string): Promise<void> => {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 };
    const { status } = await api.connection.send({ method: 'DELETE', path, body });
    if (status !== 200) throw new Error(`DELETE ${path}: ${status}`);
  };
  const world: ServedWorld = {
    putNode: (node) => server.seed([wireNode(node)]),
    putPod: (pod) => server.seed([wirePod(pod)]),
    putConfigMap: (namespace, name) =>
      server.seed([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } }]),
    removeNode: (name) => remove(`/api/v1/nodes/${name}`),
    removePod: (namespace, name) => remove(`/api/v1/namespaces/${namespace}/pods/${name}`),
  };
  return {
    server,
    api,
    world,
    close: async () => {
      await api.close();
      await server.close();
    },
  };
}
