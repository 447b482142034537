/** An EKS cluster for tests: the doubles of EKS and EC2, the nodes that its groups have, and the pods at work on them. */
import { eksNodePools, type EksNodePools } from '#adapters/eks/node-pools';
import { slicesFromLabel, slicesLabel } from '#core/clouds/eks/slices-label';
import { resourceOf } from '#core/clouds/slices-ready';
import { changePool } from '#engines/pools/change-pool';
import type { PoolChange, PoolChangeOptions } from '#engines/pools/ports';
import { VirtualClock } from '../support/virtual-clock.js';
import { ClusterDouble } from './cluster-double.js';
import type { Json } from './message-check.js';
import { EksServer } from './eks-server.js';

export const oldGroup = {
  nodegroupName: 'gpu',
  scalingConfig: { minSize: 1, maxSize: 4, desiredSize: 2 },
  instanceTypes: ['g7e.2xlarge'],
  subnets: ['subnet-1', 'subnet-2'],
  amiType: 'AL2023_x86_64_NVIDIA',
  nodeRole: 'arn:aws:iam::123456789012:role/nodes',
  capacityType: 'ON_DEMAND',
  diskSize: 100,
  labels: { team: 'search' },
  taints: [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NO_SCHEDULE' }],
  updateConfig: { maxUnavailable: 1 },
  tags: { cost: 'search' },
  releaseVersion: '1.34.1-20260801',
  version: '1.34',
};

/** Read by the SDK; nothing is sent anywhere but to the double. */
export const credentials = {
  AWS_ACCESS_KEY_ID: 'x',
  AWS_SECRET_ACCESS_KEY: 'y',
  AWS_EC2_METADATA_DISABLED: 'true',
};

export class EksWorld {
  readonly clock = new VirtualClock();
  readonly api = new EksServer();
  readonly cluster = new ClusterDouble(this.clock);
  readonly said: string[] = [];
  pools!: EksNodePools;
  url = '';

  async open(): Promise<this> {
    Object.assign(process.env, credentials);
    this.url = await this.api.listen();
    this.pools = eksNodePools({
      region: 'us-east-1',
      cluster: this.api.cluster,
      endpoint: this.url,
      clock: this.clock,
    });
    this.api.onGroup = (name, group) => {
      const key = 'eks.amazonaws.com/nodegroup';
      if (group === null) {
        this.cluster.removeNodes((node) => node.labels[key] === name);
        return;
      }
      const slices = slicesFromLabel(group.labels[slicesLabel]) ?? [{ profile: null, perNode: 1 }];
      for (let index = 0; index < group.scalingConfig.desiredSize; index += 1) {
        const node = {
          name: `ip-${name}-${index}`,
          labels: { ...group.labels, [key]: name },
          allocatable: Object.fromEntries(
            slices.map(({ profile, perNode }) => [
              profile === null ? 'nvidia.com/gpu' : resourceOf(profile),
              perNode,
            ]),
          ),
          taints: (group.taints ?? []).map((one: Json) => ({ ...one, effect: 'NoSchedule' })),
        };
        this.cluster.addNode(node, name === oldGroup.nodegroupName ? 0 : 90_000);
      }
    };
    this.api.addGroup({ ...oldGroup });
    return this;
  }

  /** `count` pods of a Deployment that want a whole GPU, or what is said. */
  addWorkload(
    name: string,
    count: number,
    wants: Readonly<Record<string, number>> = { 'nvidia.com/gpu': 1 },
  ): void {
    for (let index = 0; index < count; index += 1) {
      this.cluster.addPod({
        name: `${name}-${index}`,
        controller: { kind: 'ReplicaSet', name, uid: name },
        tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', value: '', effect: null }],
        wants,
      });
    }
  }

  change(said: Partial<PoolChange> = {}, options: Partial<PoolChangeOptions> = {}) {
    const { clock, cluster, pools } = this;
    const change = { pool: oldGroup.nodegroupName, cut: '1g.24gb', sharers: 1, ...said };
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
