/** The actors' view of an API server, in memory or real: what the kubelet and controllers do to it, by its API. */
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
import { mergeDiff } from '../cluster-hands.js';
import { openTestCluster, type AskedRequest, type TestCluster } from '../test-cluster.js';
import { ClusterMirror } from './cluster-mirror.js';
import { runDisruptionController } from './disruption-controller.js';

/** A real clock that runs so many times as fast. */
export function fastClock(times: number): Clock {
  const startMs = performance.now();
  return {
    nowMs: () => 1_790_000_000_000 + (performance.now() - startMs) * times,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, ms / times);
        signal?.addEventListener('abort', done);
      }),
  };
}

export class ServedCluster implements ActorCluster {
  /** Rules that somebody broke, and writes of actors that the server did not take. */
  readonly broken: string[];
  readonly log: string[] = [];
  readonly clock: Clock;
  readonly cluster: TestCluster;
  /** Of an administrator who is none of the actors. */
  readonly kubeconfigPath: string;
  readonly #mirror: ClusterMirror;
  readonly #end = new AbortController();
  readonly #stopCounting: () => Promise<void>;
  readonly #kubeletRuns: Promise<void>;
  /** Actors know a pod before the server has given it a uid, and by the same one afterwards. */
  readonly #given = new Map<string, string>();
  readonly #actual = new Map<string, string>();
  #uids = 0;
  readonly #open: KubernetesApi[] = [];

  private constructor(cluster: TestCluster, mirror: ClusterMirror, clock: Clock) {
    this.cluster = cluster;
    this.clock = clock;
    this.kubeconfigPath = cluster.user('mica-admin', ['system:masters']).kubeconfigPath;
    this.#mirror = mirror;
    this.broken = mirror.refused;
    this.#kubeletRuns = this.#kubelet();
    this.#stopCounting = runDisruptionController(cluster);
  }

  static async start(clock: Clock): Promise<ServedCluster> {
    const cluster = await openTestCluster();
    await cluster.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: operatorNamespace } }]);
    return new ServedCluster(cluster, await ClusterMirror.open(cluster), clock);
  }

  /** As Mica reaches it. */
  ports(kubeconfig = this.kubeconfigPath): ClusterPorts {
    const api = kubernetesApi({ kubeconfig, clock: this.clock, env: {} });
    this.#open.push(api);
    return { api: { ...api, ...nodePods(api.connection, this.clock) }, clock: this.clock };
  }

  /** When everything that actors wrote so far has reached the server, and what others wrote has reached them. */
  sync(): Promise<void> {
    return this.#mirror.sync();
  }

  /** What Mica asked so far, and not the actors. */
  requests(): readonly AskedRequest[] {
    return this.cluster.requests().filter(({ user }) => user !== 'admin');
  }

  readonly note = (text: string): void => {
    this.log.push(text);
  };

  readonly node = (name: string): ClusterNode => readNode(this.#mirror.get('nodes', '', name), interning());

  addNode(said: Partial<ClusterNode> & { readonly name: string }): void {
    const node = wireNode(said);
    this.#mirror.create('nodes', node, () => undefined);
    // A node that comes is not ready, says the server; the controller of nodes takes that back.
    const { taints = null } = node['spec'] as { readonly taints?: object };
    this.#mirror.patch('nodes', '', said.name, { spec: { taints } });
  }

  readonly editNode = (name: string, { labels = {}, ...edit }: NodeChange): void => {
    const before = this.node(name);
    const all = { ...before.labels, ...labels };
    const kept = Object.fromEntries(
      Object.entries(all).filter((one): one is [string, string] => one[1] !== null),
    );
    const patch = mergeDiff(wireNode(before), wireNode({ ...before, ...edit, labels: kept }));
    this.#mirror.patch('nodes', '', name, patch);
  };

  readonly allPods = (): readonly ClusterPod[] =>
    this.#mirror
      .all('pods')
      .flatMap((raw) => readPod(raw, () => true, interning()) ?? [])
      .map((pod) => ({ ...pod, uid: this.#given.get(pod.uid) ?? pod.uid }));

  readonly podsOn = (name: string): readonly ClusterPod[] =>
    this.allPods().filter(({ node }) => node === name);

  readonly addPod = (said: Partial<ClusterPod> & { readonly name: string }): ClusterPod => {
    this.#uids += 1;
    const uid = `00000000-0000-4000-8000-${String(this.#uids).padStart(12, '0')}`;
    const pod = wirePod({ uid, ...said });
    const made = readPod(pod, () => true, interning());
    if (made === null) throw new Error(`no pod ${said.name}`);
    this.#mirror.create('pods', pod, ({ metadata }) => {
      this.#given.set(metadata.uid, made.uid);
      this.#actual.set(made.uid, metadata.uid);
    });
    return made;
  };

  readonly editPod = (uid: string, edit: Partial<ClusterPod>): void => {
    const pod = this.allPods().find((one) => one.uid === uid);
    if (pod === undefined) return;
    const { metadata, status } = mergeDiff(wirePod(pod), wirePod({ ...pod, ...edit }));
    const patch = {
      ...(metadata === undefined ? {} : { metadata }),
      ...(status === undefined ? {} : { status }),
    };
    this.#mirror.patch('pods', pod.namespace, pod.name, patch);
  };

  readonly removePod = (uid: string): void => {
    const pod = this.allPods().find((one) => one.uid === uid);
    if (pod !== undefined)
      this.#mirror.remove('pods', pod.namespace, pod.name, () => this.#actual.get(uid) ?? uid);
  };

  readonly configFile = (name: string): string => {
    const map: { readonly data?: Readonly<Record<string, string>> } | undefined = this.#mirror.get(
      'configmaps',
      operatorNamespace,
      name,
    );
    return map?.data?.['config.yaml'] ?? '';
  };

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#kubeletRuns;
    await this.#stopCounting();
    await this.#mirror.close();
    await Promise.all(this.#open.map((api) => api.close()));
    await this.cluster.close();
  }

  /** Pods that were told to end do so. */
  async #kubelet(): Promise<void> {
    const leaving = new Map<string, number>();
    while (!this.#end.signal.aborted) {
      await this.clock.sleep(1_000, this.#end.signal);
      for (const pod of this.allPods()) {
        if (!pod.isDeleting) continue;
        const sinceMs = leaving.get(pod.uid) ?? this.clock.nowMs();
        leaving.set(pod.uid, sinceMs);
        if (this.clock.nowMs() - sinceMs >= 3_000) this.removePod(pod.uid);
      }
    }
  }
}
