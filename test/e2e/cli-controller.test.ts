/** `mica controller` where it cannot begin, and what it says without a cluster. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openTestCluster } from '../kubernetes/test-cluster.js';
import { defineKind } from '../support/served-policies.js';
import { runMica } from './run-mica.js';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function serve() {
  const cluster = await openTestCluster();
  stops.push(() => cluster.close());
  const start = (kubeconfig = cluster.admin.kubeconfigPath, ...args: readonly string[]) =>
    runMica(['controller', '--kubeconfig', kubeconfig, '--listen', '127.0.0.1:0', ...args]);
  return { cluster, start };
}

describe('mica controller', () => {
  it('ends with what to do where the cluster knows no policies', async () => {
    const { start } = await serve();
    const { exit, stderr, stdout } = await start();
    expect({ exit, stdout }).toEqual({ exit: 3, stdout: '' });
    expect(stderr).toMatch(
      /^\S+Z info started as \S+_[0-9a-f]{8} for https:\S+; listening on http:\/\/127\.0\.0\.1:\d+\n/,
    );
    expect(stderr).toContain('has no migpolicies of mica.dev/v1alpha1');
    expect(stderr).toContain('deploy/kubernetes/controller');
    expect(stderr).toMatch(/\[no-policies-kind\]\n$/);
  });

  it('ends with the right that is missing', async () => {
    const { cluster, start } = await serve();
    await defineKind(cluster.ask);
    const { exit, stderr } = await start(cluster.user('nobody').kubeconfigPath);
    expect(exit).toBe(3);
    expect(stderr).toMatch(
      /does not show \/api\/v1\/nodes \(403.*\n.*list and watch nodes.* \[access-refused\]\n$/,
    );
    const rbac = 'rbac.authorization.k8s.io';
    await cluster.seed([
      {
        apiVersion: `${rbac}/v1`,
        kind: 'ClusterRole',
        metadata: { name: 'half' },
        rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'] }],
      },
      {
        apiVersion: `${rbac}/v1`,
        kind: 'ClusterRoleBinding',
        metadata: { name: 'half' },
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'half' },
        subjects: [{ apiGroup: rbac, kind: 'User', name: 'half' }],
      },
    ]);
    const half = await start(cluster.user('half').kubeconfigPath);
    expect([half.exit, half.stderr]).toEqual([3, expect.stringContaining('list and watch migpolicies')]);
  });

  it('says where it cannot listen, before it asks the cluster for anything', async () => {
    const { cluster, start } = await serve();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    stops.push(() => taken.close());
    const { port } = taken.address() as AddressInfo;
    const before = cluster.requests().length;
    const { exit, stderr } = await start(undefined, '--listen', `127.0.0.1:${port}`);
    expect([exit, stderr]).toEqual([3, expect.stringMatching(/EADDRINUSE.*\n.*\[cannot-listen\]\n$/)]);
    expect(cluster.requests()).toHaveLength(before);
  });

  it.each(['9808', 'localhost', 'a b:1', '127.0.0.1:99999', '::1:9808', 'http://a:1'])(
    'takes no --listen %s',
    async (listen) => {
      const { exit, stderr } = await runMica(['controller', '--listen', listen]);
      expect([exit, stderr]).toEqual([2, expect.stringContaining('HOST:PORT')]);
    },
  );

  it('needs a cluster', async () => {
    const { exit, stderr } = await runMica(['controller', '--listen', 'none'], { env: { HOME: '/nowhere' } });
    expect([exit, stderr]).toEqual([2, expect.stringContaining('[no-cluster]')]);
  });
});
