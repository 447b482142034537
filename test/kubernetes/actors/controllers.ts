/** Deployments and Jobs: pods that go come up again, and pods that are at their end stay so. */
import type { ClusterPod } from '#core/cluster/objects';
import type { OperatorCluster } from '../../support/operator-cluster.js';
import { replicaSet } from './workload.js';

const reactMs = 400;

export interface Wanted {
  readonly app: string;
  /** `1g.10gb`, or `whole`. */
  readonly slice: string;
  readonly replicas?: number;
  /** A Job: each pod is at its end after that, once it ran. */
  readonly runsMs?: number;
}

interface Kept extends Wanted {
  replicas: number;
  made: number;
}

function wantsOf(slice: string): Readonly<Record<string, number>> {
  return { [slice === 'whole' ? 'nvidia.com/gpu' : `nvidia.com/mig-${slice.replace('+', '.')}`]: 1 };
}

export class Controllers {
  readonly #cluster: OperatorCluster;
  readonly #kept = new Map<string, Kept>();
  #isDue = false;

  constructor(cluster: OperatorCluster) {
    this.#cluster = cluster;
  }

  run(wanted: Wanted): void {
    this.#kept.set(wanted.app, { ...wanted, replicas: wanted.replicas ?? 1, made: 0 });
    this.#keep();
  }

  scale(app: string, replicas: number): void {
    const kept = this.#kept.get(app);
    if (kept !== undefined) kept.replicas = replicas;
    this.#keep();
  }

  stir(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#cluster.clock.in(reactMs, () => {
      this.#isDue = false;
      this.#keep();
    });
  }

  bound(pod: ClusterPod): void {
    const kept = this.#kept.get(pod.labels['app'] ?? '');
    if (kept?.runsMs === undefined) return;
    this.#cluster.clock.in(kept.runsMs, () => {
      const there = this.#cluster.pods.get(pod.uid);
      if (there === undefined || there.isDeleting) return;
      kept.replicas -= 1;
      this.#cluster.note(`  ~ ${pod.name} is done`);
      this.#cluster.removePod(pod.uid);
    });
  }

  #keep(): void {
    for (const [app, kept] of this.#kept) {
      const own = this.#cluster
        .allPods()
        .filter((pod) => pod.labels['app'] === app && !pod.isDeleting && pod.phase !== 'Failed');
      for (const pod of own.slice(kept.replicas)) this.#delete(pod);
      for (let count = own.length; count < kept.replicas; count += 1) {
        kept.made += 1;
        const kind = kept.runsMs === undefined ? replicaSet(app) : { ...replicaSet(app), kind: 'Job' };
        this.#cluster.addPod({
          ...{ name: `${app}-${kept.made}`, labels: { app }, controller: kind },
          ...{ wants: wantsOf(kept.slice), isReady: false },
        });
        this.#cluster.note(`  ~ ${app}-${kept.made} is made, for a slice ${kept.slice}`);
      }
    }
  }

  #delete(pod: ClusterPod): void {
    this.#cluster.note(`  ~ ${pod.name} is deleted`);
    if (pod.node === null) {
      this.#cluster.removePod(pod.uid);
      return;
    }
    this.#cluster.editPod(pod.uid, { isDeleting: true });
    this.#cluster.clock.in(3_000, () => this.#cluster.removePod(pod.uid));
  }
}
