/** A cluster as a watch shows it: a while later, frozen while the watch is broken, and never back in time. */
import type { ClusterPod, ClusterState } from '#core/cluster/objects';
import type { ApiRefusal, ClusterWatch } from '#ports/cluster-api';
import type { OperatorCluster } from '../../support/operator-cluster.js';

export class ShownCluster {
  /** Between a change and that the watch shows it. */
  lagMs = 0;
  /** Views that are open. */
  open = 0;
  readonly #cluster: OperatorCluster;
  #trouble: ApiRefusal | null = null;
  #shown: ClusterState;
  #version = 1;
  #waiting: (() => void)[] = [];

  constructor(cluster: OperatorCluster) {
    this.#cluster = cluster;
    this.#shown = stateOf(cluster);
  }

  get state(): ClusterState {
    return this.#shown;
  }

  /** Something changed. */
  stir(): void {
    const state = stateOf(this.#cluster);
    if (this.lagMs === 0) this.#show(state);
    else this.#cluster.clock.in(this.lagMs, () => this.#show(state));
  }

  /** As after a 410: what happened meanwhile is listed again at its end. */
  breakDown(forMs: number): void {
    this.#trouble = { kind: 'unreachable', message: 'the watch is too old (410)', retryAfterMs: null };
    this.#turn();
    this.#cluster.clock.in(forMs, () => {
      this.#trouble = null;
      this.#show(stateOf(this.#cluster));
    });
  }

  watch(): ClusterWatch {
    this.open += 1;
    let isClosed = false;
    const closing = new AbortController();
    return {
      state: () => this.#shown,
      node: (name) => this.#shown.nodes.find((node) => node.name === name) ?? null,
      podsOn: (name) => this.#shown.pods.filter(({ node }) => node === name),
      version: () => this.#version,
      changed: (since, signal) => this.#changed(since, signal, closing.signal),
      trouble: () => this.#trouble,
      close: async () => {
        if (!isClosed) this.open -= 1;
        isClosed = true;
        closing.abort();
      },
    };
  }

  #show(state: ClusterState): void {
    if (this.#trouble !== null) return;
    this.#shown = state;
    this.#turn();
  }

  #turn(): void {
    this.#version += 1;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #changed(since: number, ...signals: readonly AbortSignal[]): Promise<void> {
    while (this.#version === since && !signals.some(({ aborted }) => aborted)) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          for (const signal of signals) signal.removeEventListener('abort', wake);
          this.#waiting = this.#waiting.filter((one) => one !== wake);
          resolve();
        };
        this.#waiting.push(wake);
        for (const signal of signals) signal.addEventListener('abort', wake);
      });
    }
  }

  get waiting(): number {
    return this.#waiting.length;
  }
}

function stateOf(cluster: OperatorCluster): ClusterState {
  const gpuNodes = new Set(
    [...cluster.nodes.values()].flatMap(({ name, labels }) =>
      labels['nvidia.com/gpu.present'] === 'true' ? [name] : [],
    ),
  );
  const isSeen = ({ wants, node }: ClusterPod): boolean =>
    Object.keys(wants).length > 0 || (node !== null && gpuNodes.has(node));
  return { nodes: [...cluster.nodes.values()], pods: cluster.allPods().filter(isSeen), dra: null };
}
