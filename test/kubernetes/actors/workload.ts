/** A small ReplicaSet and scheduler: a pod that goes comes up again on another node, or pends. */
import type { ClusterPod } from '#core/cluster/objects';
import type { ActorCluster } from '../../support/operator-cluster.js';

export interface Workload {
  readonly app: string;
  readonly replicas: number;
  /** Where new pods go; `null`: nowhere, they pend. */
  readonly elsewhere: string | null;
  /** From its creation until it is ready. */
  readonly startMs: number;
}

/** Returns how to stop it. */
export function runWorkload(
  cluster: ActorCluster,
  { app, replicas, elsewhere, startMs }: Workload,
): () => void {
  let isStopped = false;
  let made = 0;
  const run = async (): Promise<void> => {
    while (!isStopped) {
      await cluster.clock.sleep(1_000);
      const own = cluster.allPods().filter((pod) => pod.labels['app'] === app && !pod.isDeleting);
      if (own.length >= replicas) continue;
      made += 1;
      const pod = cluster.addPod({
        name: `${app}-new-${made}`,
        labels: { app },
        controller: replicaSet(app),
        node: elsewhere,
        phase: elsewhere === null ? 'Pending' : 'Running',
        isReady: false,
      });
      if (elsewhere !== null)
        void cluster.clock.sleep(startMs).then(() => cluster.editPod(pod.uid, { isReady: true }));
    }
  };
  void run();
  return () => {
    isStopped = true;
  };
}

export function replicaSet(app: string): NonNullable<ClusterPod['controller']> {
  return { kind: 'ReplicaSet', name: app, uid: `rs-${app}` };
}
