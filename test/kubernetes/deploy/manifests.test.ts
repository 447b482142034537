/** The manifests of deploy/kubernetes: kubectl applies them, and they allow no more than they say. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { migModels } from '#core/catalogue/catalogue';
import { asNvidiaSpells } from '#core/catalogue/profile-name';
import { sliceResource } from '#core/cluster/operator/offered';
import { requires } from '../../tooling/requires.js';
import { openTestCluster } from '../test-cluster.js';
import { apply, built, folders, kubectlPrints, rightsIn } from './deployed.js';

const kubectl = requires('kubectl');

describe.skipIf(kubectl.missing)(kubectl.title('deploy/kubernetes'), () => {
  it.for(folders)('%s: kubectl applies it, and a second time nothing changes', async (folder, { skip }) => {
    const cluster = await openTestCluster();
    onTestFinished(() => cluster.close());
    for (const { kind } of await built(folder)) {
      if (kind === 'CustomResourceDefinition' && !cluster.isAtLeast(25))
        skip(`${cluster.version} has no rules in definitions: they are of Kubernetes 1.25`);
    }
    const namespaces = ['gpu-operator'].map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    }));
    await cluster.seed(namespaces);
    const first = (await apply(cluster.admin, folder)).text.trim().split('\n');
    expect(first.filter((line) => !line.endsWith(' created'))).toEqual([]);
    expect(first).toHaveLength((await built(folder)).length);
    const before = await cluster.list('poddisruptionbudgets.policy');
    const again = (await apply(cluster.admin, folder)).text.trim().split('\n');
    // kubectl sends the selector of a budget each time, since it is replaced and not merged; nothing comes of it.
    const sentAnyway = (line: string): boolean => line.startsWith('poddisruptionbudget.policy/');
    expect(again.filter((line) => !line.endsWith(' unchanged') && !sentAnyway(line))).toEqual([]);
    expect(await cluster.list('poddisruptionbudgets.policy')).toEqual(before);
  });

  it('operator: refused where there is no GPU Operator, so that nobody believes it is set up', async () => {
    const cluster = await openTestCluster();
    onTestFinished(() => cluster.close());
    const { text, failed } = await apply(cluster.admin, 'operator');
    expect(failed).toBe(true);
    expect(text).toContain('namespaces "gpu-operator" not found');
  });

  it.each(folders)('%s: no wildcard, no secrets, no rights on rights', async (folder) => {
    for (const right of rightsIn(await built(folder))) {
      expect(JSON.stringify(right)).not.toContain('*');
      expect(right.resource).not.toMatch(/secret|role|serviceaccounts?\/token|\/(exec|proxy|attach)/);
      expect(right.verb).not.toMatch(/escalate|bind|impersonate|deletecollection/);
    }
  });

  it('writes in the whole cluster: nodes and evictions, of the controller events and its status, too; the reader none', async () => {
    const writes = async (folder: 'reader' | 'pools' | 'operator' | 'controller') =>
      rightsIn(await built(folder))
        .filter(({ kind, verb }) => kind === 'ClusterRole' && !['get', 'list', 'watch'].includes(verb))
        .map(({ verb, resource }) => `${verb} ${resource}`)
        .sort();
    expect(await writes('reader')).toEqual([]);
    expect(await writes('pools')).toEqual(['create pods/eviction', 'patch nodes']);
    expect(await writes('operator')).toEqual(['create pods/eviction', 'patch nodes']);
    expect(await writes('controller')).toEqual([
      'create events',
      'create pods/eviction',
      'patch migpolicies/status',
      'patch nodes',
    ]);
  });

  it.each(folders)('%s: rights go to the accounts of Mica alone, and each role is bound', async (folder) => {
    const objects = await built(folder);
    const bindings = objects.filter(({ kind }) => /Binding$/.test(kind));
    for (const { subjects } of bindings) {
      for (const subject of subjects) {
        expect(subject).toMatchObject({ kind: 'ServiceAccount', namespace: 'mica-system' });
      }
    }
    const roles = objects.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');
    const bound = bindings.map(({ roleRef, metadata }) => [roleRef.kind, roleRef.name, metadata.namespace]);
    for (const { kind, metadata } of roles) {
      expect(bound).toContainEqual([kind, metadata.name, metadata.namespace]);
    }
  });
});

describe.skipIf(kubectl.missing)(kubectl.title('tenants as namespaces'), () => {
  const hardOf = async (folder: 'tenants/gpu-operator' | 'tenants/gke'): Promise<Record<string, string>> =>
    (await built(folder)).find(({ kind }) => kind === 'ResourceQuota').spec.hard;

  it('GPU Operator: every way to a GPU of the card is bounded, since what is not named is not', async () => {
    const card = migModels().find(({ key }) => key === 'rtx-pro-6000-blackwell-server');
    const slices = card?.profiles.map(({ name }) => `requests.${sliceResource(name)}`) ?? [];
    expect(slices.length).toBeGreaterThan(5);
    expect(Object.keys(await hardOf('tenants/gpu-operator')).sort()).toEqual(
      [...slices, 'requests.nvidia.com/gpu', 'count/resourceclaims.resource.k8s.io'].sort(),
    );
  });

  it('names are spelled as resources are: no plus, no limits, which Kubernetes does not count for GPUs', async () => {
    for (const folder of ['tenants/gpu-operator', 'tenants/gke'] as const) {
      for (const [name, count] of Object.entries(await hardOf(folder))) {
        expect(name).toMatch(/^(requests\.nvidia\.com\/|count\/)[\w.-]+$/);
        expect(count).toMatch(/^\d+$/);
      }
    }
    expect(asNvidiaSpells('nvidia.com/mig-1g.24gb.me.all')).toBe('1g.24gb+me.all');
  });

  it('the quota is there, in the namespace of the tenant', async () => {
    const cluster = await openTestCluster();
    onTestFinished(() => cluster.close());
    await apply(cluster.admin, 'tenants/gke');
    const get = ['get', 'quota', '-n', 'team-a', '-o', 'jsonpath={.items[*].spec.hard}'];
    const { text } = await kubectlPrints(get, { KUBECONFIG: cluster.admin.kubeconfigPath });
    expect(JSON.parse(text)).toEqual({
      'requests.nvidia.com/gpu': '4',
      'count/resourceclaims.resource.k8s.io': '0',
    });
  });
});
