/** The same small cluster for every suite, whichever API server is behind it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { requires } from '../tooling/requires.js';
import { openTestCluster } from './test-cluster.js';

const kubectl = requires('kubectl');

describe.skipIf(kubectl.missing)(kubectl.title('a test cluster'), () => {
  it('has what was seeded, for its administrator and for nobody else', async () => {
    const cluster = await openTestCluster();
    try {
      await cluster.seed([
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'seeded', namespace: 'team' },
          data: { a: '1' },
        },
      ]);
      const names = (await cluster.list('configmaps', 'team')).map((one) => one.metadata.name);
      expect(names).toContain('seeded');
      expect(cluster.hasControllers).toBe(cluster.kind === 'in-memory');
      const get = (kubeconfig: string): Promise<string> =>
        promisify(execFile)('kubectl', [
          '--kubeconfig',
          kubeconfig,
          '-n',
          'team',
          'get',
          'cm',
          'seeded',
          '-o',
          'name',
        ]).then(
          ({ stdout }) => stdout,
          (error: unknown) => String(error),
        );
      expect(await get(cluster.adminKubeconfigPath)).toBe('configmap/seeded\n');
      expect(await get(cluster.kubeconfigFor('jane'))).toContain(
        'User "jane" cannot get resource "configmaps"',
      );
    } finally {
      await cluster.close();
    }
  });
});
