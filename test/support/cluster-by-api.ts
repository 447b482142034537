/** The Kubernetes adapter on whichever API server there is, and the hands of others, who use that API as well. */
import { kubernetesApi, type KubernetesApi } from '#adapters/kubernetes/cluster-api';
import type { ClusterContractSetup, ClusterWorld } from '#ports/cluster-api.contract';
import { openTestCluster, type TestCluster } from '../kubernetes/test-cluster.js';
import { hurriedClock } from './cluster-on-server.js';
import { wireNode, wirePod } from './wire-objects.js';

export interface ClusterByApi extends ClusterContractSetup {
  readonly api: KubernetesApi;
  readonly cluster: TestCluster;
}

export async function clusterByApi(): Promise<ClusterByApi> {
  const cluster = await openTestCluster();
  const { kubeconfigPath: kubeconfig } = cluster.admin;
  const api = kubernetesApi({ kubeconfig, clock: hurriedClock, pageSize: 2, env: {} });
  return {
    api,
    cluster,
    world: worldOf(cluster),
    withoutEviction: cluster.serves('policy/v1')
      ? undefined
      : `${cluster.version} has no policy/v1: its eviction is of Kubernetes 1.22`,
    close: async () => {
      await api.close();
      await cluster.close();
    },
  };
}

function worldOf(cluster: TestCluster): ClusterWorld {
  const remove = async (path: string): Promise<void> => {
    const { status } = await cluster.ask('DELETE', path, { gracePeriodSeconds: 0 });
    if (status !== 200) throw new Error(`DELETE ${path}: ${status}`);
  };
  return {
    putNode: (node) => cluster.seed([wireNode(node)]),
    putPod: (pod) => cluster.seed([wirePod(pod)]),
    removeNode: (name) => remove(`/api/v1/nodes/${name}`),
    removePod: (namespace, name) => remove(`/api/v1/namespaces/${namespace}/pods/${name}`),
    forbidEviction: (namespace, [key, value]) =>
      cluster.seed([
        {
          apiVersion: 'policy/v1',
          kind: 'PodDisruptionBudget',
          metadata: { name: 'never', namespace },
          spec: { maxUnavailable: 0, selector: { matchLabels: { [key]: value } } },
        },
      ]),
    putConfigMap: (namespace, name, { labels = {}, data }) =>
      cluster.seed([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name, labels }, data }]),
    events: async () =>
      (await cluster.list('events')).map(({ involvedObject, reason }) => [involvedObject.name, reason]),
  };
}
