/** The rights of deploy/kubernetes/operator are what changing nodes needs: with them it works, without any one of them not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { kubernetesApi } from '#adapters/kubernetes/cluster-api';
import { nodePods } from '#adapters/kubernetes/node-pods';
import { defaultLimits } from '#core/cluster/operator/limits';
import { entriesFor } from '#core/cluster/operator/mig-config';
import type { NodesAnswer } from '#engines/cluster/answer';
import { changeNodes } from '#engines/cluster/change-nodes';
import { yamlText } from '#engines/emit/yaml-text';
import { runMica } from '../../e2e/run-mica.js';
import { operatorNamespace } from '../../support/operator-cluster.js';
import { requires } from '../../tooling/requires.js';
import type { Json } from '../api-server/json.js';
import { OperatorNode, type Traps } from '../actors/operator-node.js';
import { operatorLabels, secondGpuAnew, smallAndLarge } from '../actors/operator-world.js';
import { fastClock, ServedCluster } from '../actors/served-cluster.js';
import { replicaSet } from '../actors/workload.js';
import { evictions, hasRealServer } from '../test-cluster.js';
import { built, inWords, kubectlPrints, rightsIn, without } from './deployed.js';

const kubectl = requires('kubectl');
const evicting = await evictions();
const roles: readonly Json[] = kubectl.missing ? [] : await built('operator');
const reads = new Set(rightsIn(kubectl.missing ? [] : await built('reader')).map(inWords));
const rights = rightsIn(roles).filter((right) => !reads.has(inWords(right)));

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A node at work, and the kubeconfig of mica-operator with these roles. */
async function serve(
  allowed: readonly Json[],
  traps: Traps = {},
): Promise<{ readonly cluster: ServedCluster; readonly kubeconfig: string }> {
  const cluster = await ServedCluster.start(fastClock(hasRealServer ? 40 : 100));
  stops.push(() => cluster.stop());
  cluster.addNode({
    name: 'gpu-1',
    labels: { ...operatorLabels, 'nvidia.com/mig.config': 'start' },
  });
  await makeConfigMap(cluster.kubeconfigPath);
  await cluster.sync();
  const node = new OperatorNode(cluster, 'gpu-1', smallAndLarge, traps);
  stops.push(() => node.stop());
  cluster.addPod({
    name: 'train',
    node: 'gpu-1',
    wants: { 'nvidia.com/mig-3g.40gb': 1 },
    controller: replicaSet('train'),
  });
  await cluster.cluster.seed(allowed);
  await cluster.sync();
  const { kubeconfigPath } = cluster.cluster.user('system:serviceaccount:mica-system:mica-operator');
  return { cluster, kubeconfig: kubeconfigPath };
}

/** As the guide says: by server-side apply as Mica, or the first write of Mica would meet another owner. */
async function makeConfigMap(kubeconfig: string): Promise<void> {
  const configs = { start: entriesFor(smallAndLarge) };
  const map = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'mica-mig-config', namespace: operatorNamespace },
    data: { 'config.yaml': yamlText({ version: 'v1', 'mig-configs': configs }) },
  };
  const asMica = ['apply', '--server-side', '--field-manager=mica', '-f', '-'];
  const { failed } = await kubectlPrints(asMica, { KUBECONFIG: kubeconfig }, JSON.stringify(map));
  expect(failed).toBe(false);
}

async function change(cluster: ServedCluster, kubeconfig: string): Promise<NodesAnswer> {
  const { clock } = cluster;
  const api = kubernetesApi({ kubeconfig, clock, env: {} });
  stops.push(() => api.close());
  return changeNodes(
    { api: { ...api, ...nodePods(api.connection, clock) }, clock },
    [{ node: 'gpu-1', cut: secondGpuAnew }],
    {
      namespace: operatorNamespace,
      configMap: 'mica-mig-config',
      limits: defaultLimits,
      holders: new Map(),
      maxUnavailable: 1,
    },
  );
}

/** A plugin that has to be restarted: the change that makes every call there is. */
const everyCall: Traps = { stalePlugin: true };

describe.skipIf(kubectl.missing || evicting.missing)(
  evicting.title(kubectl.title('the operator of deploy/kubernetes')),
  () => {
    it('changes a node to the end, and every right was used', async () => {
      const { cluster, kubeconfig } = await serve(roles, everyCall);
      expect((await change(cluster, kubeconfig)).outcome).toBe('done');
      const mine = cluster.requests().filter(({ user }) => user.endsWith(':mica-operator'));
      expect(mine.filter(({ status }) => status === 403)).toEqual([]);
      const used = new Set(
        mine.map(({ verb, resource, namespace }) =>
          [`${verb} ${resource}`, /eviction$/.test(resource) ? '' : namespace].filter(Boolean).join(' in '),
        ),
      );
      expect([...used].sort()).toEqual([...rights.map(inWords), 'list nodes', 'list pods'].sort());
    });

    const failing = rights.filter(({ resource }) => resource !== 'events');
    it.each(failing.map((right) => [inWords(right), right] as const))(
      'without "%s" it ends with a reason that names it',
      async (words, right) => {
        const { cluster, kubeconfig } = await serve(without(roles, right), everyCall);
        const answer = await change(cluster, kubeconfig);
        expect(['refused', 'rolled-back', 'failed']).toContain(answer.outcome);
        const { verb, resource } = right;
        const said = answer.nodes.map(({ why }) => why?.message ?? '').join(' ');
        expect(said, words).toMatch(new RegExp(`cannot ${verb} resource \\\\?"${resource}\\\\?"`));
      },
    );

    it('without "create events in default" the change is made, and kubectl describe does not tell of it', async () => {
      const events = rights.find(({ resource }) => resource === 'events');
      expect(events).toBeDefined();
      const { cluster, kubeconfig } = await serve(events === undefined ? [] : without(roles, events));
      expect((await change(cluster, kubeconfig)).outcome).toBe('done');
      expect(await cluster.cluster.list('events')).toEqual([]);
    });

    it('may not delete pods of users, nor touch ConfigMaps other than its own', async () => {
      const { cluster, kubeconfig } = await serve(roles);
      const api = kubernetesApi({ kubeconfig, clock: cluster.clock, env: {} });
      stops.push(() => api.close());
      const [train] = cluster.podsOn('gpu-1').filter(({ name }) => name === 'train');
      const pod = { namespace: 'default', name: 'train', uid: train?.uid ?? '' };
      const tried = [
        await api.deletePod(pod),
        await api.getConfigMap('kube-system', 'mica-mig-config'),
        await api.applyConfigMap(operatorNamespace, 'another', { 'config.yaml': '' }),
        await api.listConfigMaps(operatorNamespace, 'a=b'),
      ];
      expect(tried.map((answer) => (answer.ok ? 'allowed' : answer.why.kind))).toEqual(
        tried.map(() => 'forbidden'),
      );
    });

    it('mica cluster apply --dry-run works with its token, and changes nothing', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'mica-deploy-'));
      stops.push(() => rmSync(folder, { recursive: true }));
      const file = join(folder, 'layout.yaml');
      writeFileSync(
        file,
        `apiVersion: mica/v1
kind: Layout
spec:
  gpus:
    - node: gpu-1
      index: 1
      placements: [{ profile: 2g.20gb, start: 0 }, { profile: 2g.20gb, start: 2 }, { profile: 2g.20gb, start: 4 }]
`,
      );
      const { cluster, kubeconfig } = await serve(roles);
      const before = cluster.requests().length;
      const { stdout, stderr, exit } = await runMica(
        ['cluster', 'apply', '-f', file, '--dry-run', '--kubeconfig', kubeconfig],
        {},
      );
      expect({ stderr: stderr.replace(/^note: .*\n/, ''), exit }).toEqual({ stderr: '', exit: 0 });
      expect(stdout).toContain('would evict default/train');
      const mine = cluster
        .requests()
        .slice(before)
        .filter(({ user }) => user.endsWith(':mica-operator'));
      expect([...new Set(mine.map(({ verb }) => verb))].sort()).toEqual(['get', 'list']);
    });
  },
);
