/** The actors' view of a strict API server: what the kubelet and controllers do to it, past Mica's own requests. */
import { kubernetesApi, type KubernetesApi } from '#adapters/kubernetes/cluster-api';
import { interning } from '#adapters/kubernetes/interning';
import { nodePods } from '#adapters/kubernetes/node-pods';
import { readNode } from '#adapters/kubernetes/read-node';
import { readPod } from '#adapters/kubernetes/read-pod';
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';
import type { ClusterPorts } from '#engines/cluster/ports';
import type { Clock } from '#ports/clock';
import { operatorNamespace, type ActorCluster, type NodeChange } from '../../support/operator-cluster.js';
import { wireNode, wirePod } from '../../support/wire-objects.js';
import { startApiServer, type ApiServer } from '../api-server/server.js';

/** A real clock that runs so many times as fast. */
export function fastClock(times: number): Clock {
  const startMs = performance.now();
  return {
    nowMs: () => 1_790_000_000_000 + (performance.now() - startMs) * times,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms / times);
        signal?.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

export class ServedCluster implements ActorCluster {
  readonly broken: string[] = [];
  readonly log: string[] = [];
  readonly clock: Clock;
  readonly server: ApiServer;
  readonly #hands: KubernetesApi;
  readonly #end = new AbortController();
  #uids = 0;
  readonly #open: KubernetesApi[] = [];

  private constructor(server: ApiServer, clock: Clock) {
    this.server = server;
    this.clock = clock;
    this.#hands = this.#connect();
    void this.#kubelet();
  }

  static async start(clock: Clock): Promise<ServedCluster> {
    return new ServedCluster(await startApiServer(), clock);
  }

  /** As Mica reaches it. */
  ports(kubeconfig?: string): ClusterPorts {
    const api = this.#connect(kubeconfig);
    return { api: { ...api, ...nodePods(api.connection, this.clock) }, clock: this.clock };
  }

  #connect(kubeconfig = this.server.kubeconfigPath): KubernetesApi {
    const api = kubernetesApi({ kubeconfig, clock: this.clock, env: {} });
    this.#open.push(api);
    return api;
  }

  readonly note = (text: string): void => {
    this.log.push(text);
  };

  readonly node = (name: string): ClusterNode => readNode(this.server.get('nodes', name), interning());

  addNode(said: Partial<ClusterNode> & { readonly name: string }): void {
    this.server.seed([wireNode(said)]);
  }

  readonly editNode = (name: string, { labels = {}, ...edit }: NodeChange): void => {
    const before = this.node(name);
    const all = { ...before.labels, ...labels };
    const kept = Object.fromEntries(
      Object.entries(all).filter((one): one is [string, string] => one[1] !== null),
    );
    this.server.seed([wireNode({ ...before, ...edit, labels: kept })]);
  };

  readonly allPods = (): readonly ClusterPod[] =>
    this.server.list('pods').flatMap((raw) => readPod(raw, () => true, interning()) ?? []);

  readonly podsOn = (name: string): readonly ClusterPod[] =>
    this.allPods().filter(({ node }) => node === name);

  readonly addPod = (said: Partial<ClusterPod> & { readonly name: string }): ClusterPod => {
    this.#uids += 1;
    const pod = wirePod({ uid: `00000000-0000-4000-8000-${String(this.#uids).padStart(12, '0')}`, ...said });
    this.server.seed([pod]);
    const made = readPod(pod, () => true, interning());
    if (made === null) throw new Error(`no pod ${said.name}`);
    return made;
  };

  readonly editPod = (uid: string, edit: Partial<ClusterPod>): void => {
    const pod = this.allPods().find((one) => one.uid === uid);
    if (pod !== undefined) this.server.seed([wirePod({ ...pod, ...edit })]);
  };

  readonly removePod = (uid: string): void => {
    const pod = this.allPods().find((one) => one.uid === uid);
    if (pod !== undefined) void this.#remove(pod);
  };

  readonly configFile = (name: string): string => {
    const map: { readonly data?: Readonly<Record<string, string>> } | undefined = this.server.get(
      'configmaps',
      name,
      operatorNamespace,
    );
    return map?.data?.['config.yaml'] ?? '';
  };

  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#open.map((api) => api.close()));
    await this.server.close();
  }

  /** Pods that were told to end do so. */
  async #kubelet(): Promise<void> {
    const leaving = new Map<string, number>();
    while (!this.#end.signal.aborted) {
      await this.clock.sleep(1_000);
      for (const pod of this.allPods()) {
        if (!pod.isDeleting) continue;
        const sinceMs = leaving.get(pod.uid) ?? this.clock.nowMs();
        leaving.set(pod.uid, sinceMs);
        if (this.clock.nowMs() - sinceMs >= 3_000) await this.#remove(pod);
      }
    }
  }

  async #remove({ namespace, name, uid }: ClusterPod): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid } };
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    if (!this.#end.signal.aborted)
      await this.#hands.connection.send({ method: 'DELETE', path, body }).catch(() => undefined);
  }
}
