/** The same actors on an API server, in memory or real, over HTTPS, much faster: what the fake of the port cannot tell. */
import { afterEach, describe, expect, it } from 'vitest';
import { defaultLimits } from '#core/cluster/operator/limits';
import { entriesFor, type NodeCut } from '#core/cluster/operator/mig-config';
import { changeNodes } from '#engines/cluster/change-nodes';
import type { NodesOptions } from '#engines/cluster/options';
import { yamlText } from '#engines/emit/yaml-text';
import { operatorNamespace } from '../support/operator-cluster.js';
import { OperatorNode, type Traps } from './actors/operator-node.js';
import { operatorLabels, secondGpuAnew, smallAndLarge, wholeCards } from './actors/operator-world.js';
import { fastClock, ServedCluster } from './actors/served-cluster.js';
import { replicaSet, runWorkload } from './actors/workload.js';
import { evictions as canEvict, hasRealServer } from './test-cluster.js';

const evicting = await canEvict();
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function serve(traps: Traps = {}, start: NodeCut = smallAndLarge) {
  const cluster = await ServedCluster.start(fastClock(hasRealServer ? 40 : 100));
  stops.push(() => cluster.stop());
  const isWhole = start === wholeCards;
  cluster.addNode({ name: 'other' });
  cluster.addNode({
    name: 'gpu-1',
    labels: { ...operatorLabels, 'nvidia.com/mig.config': isWhole ? 'all-disabled' : 'start' },
  });
  const written = await cluster.ports().api.applyConfigMap(operatorNamespace, 'mica-mig-config', {
    'config.yaml': yamlText({ version: 'v1', 'mig-configs': { start: entriesFor(smallAndLarge) } }),
  });
  expect(written).toMatchObject({ ok: true });
  await cluster.sync();
  const node = new OperatorNode(cluster, 'gpu-1', start, traps);
  stops.push(() => node.stop());
  for (const [app, resource, gpu] of [
    ['small', isWhole ? 'nvidia.com/gpu' : 'nvidia.com/mig-1g.10gb', '0'],
    ['train', isWhole ? 'nvidia.com/gpu' : 'nvidia.com/mig-3g.40gb', '1'],
  ] as const) {
    const labels = { app };
    const annotations = { 'test/gpu': gpu };
    cluster.addPod({
      name: app,
      node: 'gpu-1',
      labels,
      annotations,
      wants: { [resource]: 1 },
      controller: replicaSet(app),
    });
    stops.push(runWorkload(cluster, { app, replicas: 1, elsewhere: 'other', startMs: 5_000 }));
  }
  await cluster.sync();
  const holders = new Map(
    (await cluster.cluster.list('pods')).flatMap(({ metadata: { uid, annotations } }) => {
      const gpu = annotations?.['test/gpu'];
      return gpu === undefined ? [] : [[String(uid), [Number(gpu)]] as const];
    }),
  );
  const options: NodesOptions = {
    namespace: operatorNamespace,
    configMap: 'mica-mig-config',
    limits: defaultLimits,
    holders,
    maxUnavailable: 1,
  };
  return { cluster, node, options, wanted: (cut: NodeCut) => [{ node: 'gpu-1', cut }] };
}

/** And the actors' view of the cluster is as new as what came of it. */
async function change(cluster: ServedCluster, ...asked: Parameters<typeof changeNodes>) {
  const answer = await changeNodes(...asked);
  await cluster.sync();
  return answer;
}

/** Evictions that were accepted, by path. */
function evictions(cluster: ServedCluster): readonly string[] {
  return cluster
    .requests()
    .filter(({ method, path, status }) => method === 'POST' && path.endsWith('/eviction') && status < 300)
    .map(({ path }) => path);
}

describe.skipIf(evicting.missing)(evicting.title('changing a node through an API server'), () => {
  it('cuts one GPU, and leaves the pods of the other alone', async () => {
    const { cluster, node, options, wanted } = await serve();
    const answer = await change(cluster, cluster.ports(), wanted(secondGpuAnew), options);
    expect(answer).toMatchObject({ outcome: 'done', nodes: [{ evicted: ['default/train'], gpus: [1] }] });
    expect(node.cut.get(1)).toEqual(secondGpuAnew.get(1));
    expect(cluster.broken).toEqual([]);
    expect(evictions(cluster)).toEqual(['/api/v1/namespaces/default/pods/train/eviction']);
    const { isCordoned, annotations, allocatable } = cluster.node('gpu-1');
    expect({ isCordoned, isOpen: 'mica.dev/change' in annotations }).toEqual({
      isCordoned: false,
      isOpen: false,
    });
    expect(allocatable).toMatchObject({ 'nvidia.com/mig-2g.20gb': 3, 'nvidia.com/mig-1g.10gb': 7 });
    expect((await cluster.cluster.list('events')).map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['MigChangeBegun', 'MigChanged']),
    );
  });

  it('goes through a reboot, with every pod gone before', async () => {
    const { cluster, options, wanted } = await serve({ reboots: 'back' }, wholeCards);
    const answer = await change(cluster, cluster.ports(), wanted(smallAndLarge), options);
    expect(answer.outcome).toBe('done');
    expect(cluster.broken).toEqual([]);
  });

  it('waits for a budget, and evicts once it may', async () => {
    const { cluster, options, wanted } = await serve();
    await cluster.cluster.seed([
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'train', namespace: 'default' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'train' } } },
      },
    ]);
    const refusals = () =>
      cluster.requests().filter(({ path, status }) => path.endsWith('/eviction') && status === 429);
    const relief = (async () => {
      while (refusals().length === 0) await cluster.clock.sleep(5_000);
      const labels = { app: 'train' };
      cluster.addPod({ name: 'train-spare', node: 'other', labels, controller: replicaSet('train') });
    })();
    const answer = await change(cluster, cluster.ports(), wanted(secondGpuAnew), options);
    expect(answer.outcome).toBe('done');
    await relief;
    expect(evictions(cluster)).toHaveLength(1);
  });

  it('takes back a layout that cannot be made', async () => {
    const { cluster, node, options, wanted } = await serve({ fails: (config) => config.startsWith('mica-') });
    const answer = await change(cluster, cluster.ports(), wanted(secondGpuAnew), options);
    expect(answer).toMatchObject({ outcome: 'rolled-back', nodes: [{ why: { kind: 'failed' } }] });
    expect(node.cut).toEqual(smallAndLarge);
    expect(cluster.node('gpu-1').isCordoned).toBe(false);
  });

  it('goes on from the annotations after it was stopped in the middle', async () => {
    const { cluster, node, options, wanted } = await serve();
    const stop = new AbortController();
    void cluster.clock.sleep(40_000).then(() => stop.abort());
    const first = await change(cluster, cluster.ports(), wanted(secondGpuAnew), {
      ...options,
      signal: stop.signal,
    });
    expect(first).toMatchObject({ outcome: 'failed', nodes: [{ why: { kind: 'interrupted' } }] });
    expect(cluster.node('gpu-1').isCordoned).toBe(true);
    const second = await change(cluster, cluster.ports(), wanted(secondGpuAnew), options);
    expect(second.outcome).toBe('done');
    expect(node.cut.get(1)).toEqual(secondGpuAnew.get(1));
    expect(evictions(cluster)).toHaveLength(1);
  });

  it('leaves a ConfigMap to whoever owns its file, and the node as it was', async () => {
    const { cluster, options, wanted } = await serve();
    const helms = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: operatorNamespace, name: 'helms' },
      data: {
        'config.yaml': yamlText({ version: 'v1', 'mig-configs': { start: entriesFor(smallAndLarge) } }),
      },
    };
    const path = `/api/v1/namespaces/${operatorNamespace}/configmaps/helms?fieldManager=helm`;
    const type = { 'content-type': 'application/apply-patch+yaml' };
    expect((await cluster.cluster.ask('PATCH', path, helms, type)).status).toBe(201);
    const answer = await change(cluster, cluster.ports(), wanted(secondGpuAnew), {
      ...options,
      configMap: 'helms',
    });
    expect(answer).toMatchObject({ outcome: 'rolled-back', nodes: [{ why: { kind: 'blocked' } }] });
    expect(evictions(cluster)).toEqual([]);
    expect(cluster.node('gpu-1').isCordoned).toBe(false);
  });

  it('names the permission that is missing, and gives the node back', async () => {
    const { cluster, options, wanted } = await serve();
    const verbs = ['get', 'list', 'watch', 'patch'];
    const rules = [
      { apiGroups: [''], resources: ['nodes', 'pods', 'configmaps', 'events'], verbs },
      { apiGroups: [''], resources: ['events'], verbs: ['create'] },
    ];
    const rbac = 'rbac.authorization.k8s.io';
    await cluster.cluster.seed([
      { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name: 'half' }, rules },
      {
        apiVersion: `${rbac}/v1`,
        kind: 'ClusterRoleBinding',
        metadata: { name: 'half' },
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'half' },
        subjects: [{ apiGroup: rbac, kind: 'User', name: 'half' }],
      },
    ]);
    const { kubeconfigPath } = cluster.cluster.user('half');
    const answer = await change(cluster, cluster.ports(kubeconfigPath), wanted(secondGpuAnew), options);
    expect(answer).toMatchObject({
      outcome: 'rolled-back',
      nodes: [{ why: { kind: 'blocked', message: expect.stringContaining('may not create pods/eviction') } }],
    });
    expect(cluster.node('gpu-1').isCordoned).toBe(false);
    const nobody = cluster.cluster.user('nobody').kubeconfigPath;
    expect(await changeNodes(cluster.ports(nobody), wanted(secondGpuAnew), options)).toMatchObject({
      outcome: 'refused',
      nodes: [{ why: { kind: 'forbidden', message: expect.stringContaining('may not get nodes') } }],
    });
  });

  it('lets two runs at once bring one node to its end', async () => {
    const { cluster, node, options, wanted } = await serve();
    const [one, other] = await Promise.all([
      change(cluster, cluster.ports(), wanted(secondGpuAnew), options),
      change(cluster, cluster.ports(), wanted(secondGpuAnew), options),
    ]);
    expect(new Set([one.outcome, other.outcome])).toEqual(new Set(['done']));
    expect(evictions(cluster)).toHaveLength(1);
    expect(node.cut.get(1)).toEqual(secondGpuAnew.get(1));
    expect(cluster.node('gpu-1').isCordoned).toBe(false);
    expect(cluster.broken).toEqual([]);
  });
});
