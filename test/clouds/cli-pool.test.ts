/** `mica cluster pool` as a user has it: a kubeconfig, a strict Kubernetes API, and the double of GKE's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { poolOf, slicesOf, viewOf } from '#adapters/gke/read-pool';
import { runMica, type Ran } from '../e2e/run-mica.js';
import { startApiServer, type ApiServer } from '../kubernetes/api-server/server.js';
import { wireNode, wirePod } from '../support/wire-objects.js';
import { GkeServer } from './gke-server.js';
import { oldPool } from './gke-world.js';

const gke = new GkeServer();
let kubernetes: ApiServer;
let env: Record<string, string>;

beforeAll(async () => {
  kubernetes = await startApiServer();
  const url = await gke.listen();
  env = { CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER: url, CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true' };
  gke.looksPerOperation = 1;
  gke.onPool = (name, said) => {
    const pool = said === null ? null : poolOf(said);
    if (pool === null) return;
    const [slices] = slicesOf(pool) ?? [];
    const capacity = { 'nvidia.com/gpu': slices?.perNode ?? 0 };
    kubernetes.seed([wireNode({ name: `gke-${name}-0`, labels: viewOf(pool).labels, capacity })]);
  };
  gke.addPool({ ...oldPool, initialNodeCount: 1 });
  kubernetes.seed([
    wirePod({
      name: 'bert-0',
      node: `gke-${oldPool.name}-0`,
      controller: { kind: 'ReplicaSet', name: 'bert', uid: '11111111-1111-4111-8111-111111111111' },
      wants: { 'nvidia.com/gpu': 1 },
      graceSeconds: 0,
    }),
  ]);
});
afterAll(async () => {
  await gke.close();
  await kubernetes.close();
});

function pool(...args: readonly string[]): Promise<Ran> {
  return runMica(['cluster', 'pool', ...args, '--gke', 'p1/us-central1-b/c1'], { env });
}

function change(...args: readonly string[]): Promise<Ran> {
  return pool('change', oldPool.name, '--kubeconfig', kubernetes.kubeconfigPath, ...args);
}

describe('mica cluster pool', { timeout: 60_000 }, () => {
  it('lists, rehearses, asks, changes', async () => {
    const listed = await pool('list');
    expect(listed.stdout).toContain('4 x 1g.24gb');
    const rehearsed = await change('--to', '2g.48gb', '--dry-run');
    expect(rehearsed).toMatchObject({ exit: 0, stderr: '' });
    expect(rehearsed.stdout).toContain('gcloud container node-pools create gpu-2g-48gb --project=p1');
    expect(rehearsed.stdout).toContain(`gcloud container node-pools delete ${oldPool.name}`);
    expect(await change('--to', '2g.48gb')).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('needs-yes'),
    });
    expect(gke.changes).toEqual([]);
    const { stdout, exit } = await change('--to', '2g.48gb', '--yes', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'mica/pool-change@1',
      outcome: 'done',
      newPool: 'gpu-2g-48gb',
      evicted: ['default/bert-0'],
    });
    expect(exit).toBe(0);
    expect(kubernetes.list('pods', 'default')).toEqual([]);
    expect([...gke.pools.keys()]).toEqual(['gpu-2g-48gb']);
  });

  it('says no with what there is instead', async () => {
    const refused = await pool('create', 'x', '--like', 'gpu-2g-48gb', '--to', '3g.72gb');
    expect(refused).toMatchObject({ exit: 1, stdout: expect.stringContaining('it lists 1g.24gb') });
    expect(await pool('create', 'x', '--like', 'nobody', '--to', '1g.24gb')).toMatchObject({ exit: 1 });
    const both = await runMica(['cluster', 'pool', 'list'], { env });
    expect(both).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('--gke PROJECT/LOCATION/CLUSTER'),
    });
    expect(await pool('create', 'x', '--to', '2g')).toMatchObject({ exit: 2 });
  });

  it('deletes a pool after it asked, once its pods have a place', async () => {
    kubernetes.seed([
      wirePod({
        name: 'tiny-0',
        node: 'gke-gpu-2g-48gb-0',
        controller: { kind: 'ReplicaSet', name: 'tiny', uid: '11111111-1111-4111-8111-111111111112' },
        wants: { 'nvidia.com/gpu': 1 },
        graceSeconds: 0,
        hasEmptyDir: true,
      }),
      wirePod({
        name: 'cpu-0',
        node: 'gke-gpu-2g-48gb-0',
        controller: { kind: 'Job', name: 'cpu', uid: 'c' },
        graceSeconds: 0,
      }),
    ]);
    const remove = (...args: readonly string[]): Promise<Ran> =>
      pool('delete', 'gpu-2g-48gb', '--kubeconfig', kubernetes.kubeconfigPath, ...args);
    expect(await remove()).toMatchObject({
      exit: 1,
      stdout: expect.stringMatching(
        /^refused: gpu-2g-48gb.*\nwhy: .*no place on the nodes that stay: default\/tiny-0/,
      ),
    });
    const rehearsed = await remove('--dry-run', '--leave-pending');
    expect(rehearsed).toMatchObject({ exit: 0, stderr: '' });
    expect(rehearsed.stdout).toContain('gcloud container node-pools delete gpu-2g-48gb');
    expect(rehearsed.stdout).toContain('emptyDir volumes is lost: default/tiny-0');
    expect(await remove('--leave-pending')).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('these pods move: default/'),
    });
    expect([...gke.pools.keys()]).toEqual(['gpu-2g-48gb']);
    const { stdout, exit } = await remove('--leave-pending', '--yes', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'mica/pool-delete@1',
      outcome: 'done',
      evicted: expect.arrayContaining(['default/tiny-0', 'default/cpu-0']),
    });
    expect(exit).toBe(0);
    expect([...gke.pools.keys()]).toEqual([]);
  });

  it('makes a pool and gives it another size', async () => {
    expect(await pool('create', 'more', '--machine-type', 'g4-standard-96', '--to', '1g.24gb')).toMatchObject(
      {
        exit: 0,
        stdout: 'done: more, a node offers 8 x 1g.24gb\n',
      },
    );
    expect(await pool('resize', 'more', '3')).toMatchObject({ exit: 0, stdout: 'done: more has 3 nodes\n' });
    expect(gke.pools.get('more').initialNodeCount).toBe(3);
  });
});
