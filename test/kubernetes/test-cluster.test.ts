/** The same small cluster for every suite, whichever API server is behind it. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { raw } from './raw.js';
import { openTestCluster, type TestCluster } from './test-cluster.js';

async function open(): Promise<TestCluster> {
  const cluster = await openTestCluster();
  onTestFinished(() => cluster.close());
  return cluster;
}

const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'seeded', namespace: 'team' } };
const path = '/api/v1/namespaces/team/configmaps/seeded';

describe('a test cluster', () => {
  it('has what was seeded, for its administrator and for nobody else', async () => {
    const cluster = await open();
    await cluster.seed([{ ...map, data: { a: '1' } }]);
    await cluster.seed([{ ...map, data: { b: '2' } }]);
    expect((await cluster.ask('GET', path)).body.data).toEqual({ b: '2' });
    expect((await cluster.list('configmaps', 'team')).map((one) => one.metadata.name)).toContain('seeded');
    const jane = await raw(cluster, cluster.user('jane'), 'GET', path);
    expect(jane.body.message).toContain('User "jane" cannot get resource "configmaps"');
    expect(cluster.hasControllers).toBe(cluster.kind === 'in-memory');
  });

  it('has rights as soon as they are seeded', async () => {
    const cluster = await open();
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'r', namespace: 'team' } };
    await cluster.seed([
      map,
      { ...rbac, kind: 'Role', rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }] },
      {
        ...rbac,
        kind: 'RoleBinding',
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
        subjects: [{ kind: 'ServiceAccount', namespace: 'team', name: 'mica' }],
      },
    ]);
    const mica = cluster.user('system:serviceaccount:team:mica');
    expect((await raw(cluster, mica, 'GET', path)).status).toBe(200);
    expect((await raw(cluster, mica, 'DELETE', path)).status).toBe(403);
    const mine = cluster.requests().filter(({ user }) => user.endsWith(':mica'));
    expect(mine.map(({ verb, resource, namespace, status }) => [verb, resource, namespace, status])).toEqual([
      ['get', 'configmaps', 'team', 200],
      ['delete', 'configmaps', 'team', 403],
    ]);
  });

  it('begins anew for each test', async () => {
    const cluster = await open();
    expect(await cluster.list('configmaps', 'team')).toEqual([]);
    expect(await cluster.list('roles.rbac.authorization.k8s.io', 'team')).toEqual([]);
    const namespaces = (await cluster.list('namespaces')).map(({ metadata }) => metadata.name);
    expect(namespaces).not.toContain('team');
    expect(cluster.requests().filter(({ user }) => user.endsWith(':mica'))).toEqual([]);
  });
});
