/** A cluster to test against: the in-memory API server, or a real kube-apiserver where KUBEBUILDER_ASSETS names one. */
import { startApiServer } from './api-server/server.js';
import { hasRealServer, startRealCluster, type TestCluster } from './real-cluster.js';

export type { TestCluster };

export async function openTestCluster(): Promise<TestCluster> {
  if (hasRealServer()) return startRealCluster();
  const server = await startApiServer();
  return {
    kind: 'in-memory',
    url: server.url,
    adminKubeconfigPath: server.kubeconfigPath,
    kubeconfigFor: (user, groups = []) => server.users.add(user, groups).certificateKubeconfigPath,
    seed: async (objects) => server.seed(objects),
    list: async (resource, namespace) => server.list(resource, namespace),
    hasControllers: true,
    close: () => server.close(),
  };
}
