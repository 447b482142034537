/** A GKE cluster for tests: the API's double, the nodes that its pools have, and the pods at work on them. */
import { gkeNodePools, type GkeNodePools } from '#adapters/gke/node-pools';
import { poolOf, slicesOf, viewOf } from '#adapters/gke/read-pool';
import type { PoolChange, PoolChangeOptions } from '#engines/pools/ports';
import { changePool } from '#engines/pools/change-pool';
import { VirtualClock } from '../support/virtual-clock.js';
import { ClusterDouble } from './cluster-double.js';
import { GkeServer } from './gke-server.js';

export const oldPool = {
  name: 'gpu-1g-24gb',
  initialNodeCount: 2,
  locations: ['us-central1-b'],
  autoscaling: { enabled: true, minNodeCount: 1, maxNodeCount: 4, locationPolicy: 'ANY' },
  maxPodsConstraint: { maxPodsPerNode: '64' },
  upgradeSettings: { maxSurge: 2, maxUnavailable: 1 },
  config: {
    machineType: 'g4-standard-48',
    diskSizeGb: 200,
    diskType: 'hyperdisk-balanced',
    imageType: 'COS_CONTAINERD',
    serviceAccount: 'nodes@p1.iam.gserviceaccount.com',
    labels: { team: 'search' },
    taints: [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NO_SCHEDULE' }],
    effectiveCgroupMode: 'EFFECTIVE_CGROUP_MODE_V2',
    shieldedInstanceConfig: { enableIntegrityMonitoring: true },
    kubeletConfig: { podPidsLimit: '4096' },
    accelerators: [
      {
        acceleratorCount: '1',
        acceleratorType: 'nvidia-rtx-pro-6000',
        gpuPartitionSize: '1g.24gb',
        gpuDriverInstallationConfig: { gpuDriverVersion: 'LATEST' },
      },
    ],
  },
};

export class GkeWorld {
  readonly clock = new VirtualClock();
  readonly api = new GkeServer();
  readonly cluster = new ClusterDouble(this.clock);
  readonly said: string[] = [];
  pools!: GkeNodePools;
  bootMs = 60_000;

  async open(): Promise<this> {
    const endpoint = await this.api.listen();
    this.pools = gkeNodePools({ place: this.api.place, endpoint, clock: this.clock });
    let isFirst = true;
    this.api.onPool = (name, said) => {
      if (said === null) {
        this.cluster.removeNodes((node) => node.labels['cloud.google.com/gke-nodepool'] === name);
        return;
      }
      const pool = poolOf(said)!;
      const [slices] = slicesOf(pool) ?? [];
      for (let index = 0; index < said.initialNodeCount; index += 1) {
        const node = {
          name: `gke-${name}-${index}`,
          labels: { ...viewOf(pool).labels, 'topology.kubernetes.io/zone': 'us-central1-b' },
          allocatable: { 'nvidia.com/gpu': slices?.perNode ?? 0 },
        };
        this.cluster.addNode(node, isFirst ? 0 : this.bootMs);
      }
      isFirst = false;
    };
    this.api.addPool(oldPool);
    return this;
  }

  /** `count` pods of a Deployment, on any slice. */
  addWorkload(name: string, count: number, more: object = {}): void {
    for (let index = 0; index < count; index += 1) {
      this.cluster.addPod({
        name: `${name}-${index}`,
        controller: { kind: 'ReplicaSet', name, uid: name },
        wants: { 'nvidia.com/gpu': 1 },
        ...more,
      });
    }
  }

  change(said: Partial<PoolChange> = {}, options: Partial<PoolChangeOptions> = {}) {
    const { clock, cluster, pools } = this;
    const change = { pool: oldPool.name, cut: '2g.48gb', sharers: 1, ...said };
    const say = (what: string): void => void this.said.push(what);
    return changePool({ pools, cluster, clock }, change, {
      signal: new AbortController().signal,
      say,
      ...options,
    });
  }

  async close(): Promise<void> {
    await this.pools.close();
    await this.api.close();
  }
}
