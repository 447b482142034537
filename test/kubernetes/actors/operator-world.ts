/** One node of two H100 under the GPU Operator, at work, beside others: what the scenarios and faults begin with. */
import type { GpuHolders } from '#core/cluster/operator/disturbed';
import { defaultLimits } from '#core/cluster/operator/limits';
import { entriesFor, type GpuCut, type NodeCut } from '#core/cluster/operator/mig-config';
import type { NodeOptions, NodesOptions, WantedNode } from '#engines/cluster/options';
import type { ClusterPorts } from '#engines/cluster/ports';
import { yamlText } from '#engines/emit/yaml-text';
import { operatorNamespace, OperatorCluster } from '../../support/operator-cluster.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { OperatorNode, type Traps } from './operator-node.js';
import { replicaSet, runWorkload } from './workload.js';

export const smallAndLarge: NodeCut = new Map<number, GpuCut>([
  [0, { mig: true, counts: { '1g.10gb': 7 } }],
  [1, { mig: true, counts: { '3g.40gb': 2 } }],
]);
export const wholeCards: NodeCut = new Map<number, GpuCut>([
  [0, { mig: false }],
  [1, { mig: false }],
]);
/** GPU 1 in three slices; GPU 0 is not spoken of. */
export const secondGpuAnew: NodeCut = new Map<number, GpuCut>([[1, { mig: true, counts: { '2g.20gb': 3 } }]]);

export interface WorldOptions {
  readonly nodes?: number;
  readonly start?: NodeCut;
  readonly traps?: Traps;
  /** Replicas of `train` that must stay ready. */
  readonly minAvailable?: number;
  /** Whether new pods find a place. */
  readonly hasRoom?: boolean;
}

export class OperatorWorld {
  readonly clock = new VirtualClock(1_790_000_000_000);
  readonly cluster = new OperatorCluster(this.clock);
  readonly nodes: readonly OperatorNode[];
  readonly #stops: (() => void)[] = [];

  constructor({
    nodes = 1,
    start = smallAndLarge,
    traps = {},
    minAvailable = 0,
    hasRoom = true,
  }: WorldOptions = {}) {
    const { cluster } = this;
    const isWhole = start === wholeCards;
    const config = isWhole ? 'all-disabled' : 'start';
    const file = yamlText({ version: 'v1', 'mig-configs': { start: entriesFor(smallAndLarge) } });
    cluster.configMaps.set(`${operatorNamespace}/mica-mig-config`, {
      namespace: operatorNamespace,
      name: 'mica-mig-config',
      resourceVersion: '1',
      labels: {},
      data: { 'config.yaml': file },
    });
    cluster.addNode({ name: 'other' });
    this.nodes = Array.from({ length: nodes }, (_, index) => {
      const name = `gpu-${index + 1}`;
      cluster.addNode({ name, labels: { ...operatorLabels, 'nvidia.com/mig.config': config } });
      const node = new OperatorNode(cluster, name, start, traps);
      this.#stops.push(() => node.stop());
      this.#populate(name, isWhole);
      return node;
    });
    for (const [app, replicas] of [
      ['small', nodes],
      ['train', nodes],
    ] as const) {
      this.#stops.push(
        runWorkload(cluster, { app, replicas, elsewhere: hasRoom ? 'other' : null, startMs: 8_000 }),
      );
    }
    if (minAvailable > 0) cluster.budgets.push({ name: 'train', app: 'train', minAvailable });
  }

  /** What dcgm-exporter would say. */
  holders(): GpuHolders {
    return new Map(
      [...this.cluster.pods.values()].flatMap((pod) => {
        const gpu = pod.annotations['test/gpu'];
        return gpu === undefined ? [] : [[pod.uid, [Number(gpu)]] as const];
      }),
    );
  }

  options(more: Partial<NodeOptions> = {}): NodeOptions {
    return {
      namespace: operatorNamespace,
      configMap: 'mica-mig-config',
      limits: defaultLimits,
      holders: this.holders(),
      ...more,
    };
  }

  nodesOptions(more: Partial<NodesOptions> = {}): NodesOptions {
    return { ...this.options(), maxUnavailable: 1, ...more };
  }

  wanted(cut: NodeCut = secondGpuAnew): readonly WantedNode[] {
    return this.nodes.map((_, index) => ({ node: `gpu-${index + 1}`, cut }));
  }

  ports(): ClusterPorts {
    return { api: this.cluster.api(), clock: this.clock };
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #populate(node: string, isWhole: boolean): void {
    const { cluster } = this;
    const small = isWhole ? 'nvidia.com/gpu' : 'nvidia.com/mig-1g.10gb';
    const large = isWhole ? 'nvidia.com/gpu' : 'nvidia.com/mig-3g.40gb';
    const pod = (app: string, resource: string, gpu: number): void => {
      cluster.addPod({
        name: `${app}-${node}`,
        node,
        labels: { app },
        controller: replicaSet(app),
        wants: { [resource]: 1 },
        annotations: { 'test/gpu': String(gpu) },
      });
    };
    pod('small', small, 0);
    pod('train', large, 1);
    cluster.addPod({ name: `kube-proxy-${node}`, namespace: 'kube-system', node, isMirror: true });
    cluster.addPod({
      name: `logs-${node}`,
      node,
      controller: { kind: 'DaemonSet', name: 'logs', uid: 'ds-logs' },
    });
    cluster.addPod({
      name: `job-${node}`,
      node,
      phase: 'Succeeded',
      controller: { kind: 'Job', name: 'job', uid: 'j' },
    });
  }
}

export const operatorLabels = {
  'nvidia.com/gpu.count': '2',
  'nvidia.com/gpu.present': 'true',
  'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3',
  'nvidia.com/gpu.deploy.mig-manager': 'true',
  'nvidia.com/gpu.deploy.device-plugin': 'true',
  'nvidia.com/gpu.deploy.gpu-feature-discovery': 'true',
  'nvidia.com/mig.capable': 'true',
  'nvidia.com/mig.strategy': 'mixed',
  'nvidia.com/mig.config.state': 'success',
};
