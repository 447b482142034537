/** `mica cluster apply` against an API server, in memory or real, with a node acted out at fifty times the speed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { entriesFor } from '#core/cluster/operator/mig-config';
import { yamlText } from '#engines/emit/yaml-text';
import { OperatorNode } from '../kubernetes/actors/operator-node.js';
import { operatorLabels, smallAndLarge } from '../kubernetes/actors/operator-world.js';
import { fastClock, ServedCluster } from '../kubernetes/actors/served-cluster.js';
import { replicaSet } from '../kubernetes/actors/workload.js';
import { evictions } from '../kubernetes/test-cluster.js';
import { operatorNamespace } from '../support/operator-cluster.js';
import { runMica } from './run-mica.js';

const evicting = await evictions();
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const wanted = { mig: true, counts: { '2g.20gb': 3 } } as const;
const layout = `\
apiVersion: mica/v1
kind: Layout
spec:
  gpus:
    - { node: gpu-1, index: 1, placements: [{ profile: 2g.20gb, start: 0 }, { profile: 2g.20gb, start: 2 }, { profile: 2g.20gb, start: 4 }] }
`;

async function serve() {
  const cluster = await ServedCluster.start(fastClock(50));
  const folder = mkdtempSync(join(tmpdir(), 'mica-apply-'));
  stops.push(
    () => cluster.stop(),
    () => rmSync(folder, { recursive: true }),
  );
  const before = new Map(smallAndLarge);
  const after = new Map([...before, [1, wanted] as const]);
  // Both are there already: nobody has to wait for the kubelet to bring them into the pod.
  const configs = { start: entriesFor(before), 'mica-0-7x1g.10gb_1-3x2g.20gb': entriesFor(after) };
  await cluster.cluster.seed([
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: operatorNamespace, name: 'mica-mig-config' },
      data: { 'config.yaml': yamlText({ version: 'v1', 'mig-configs': configs }) },
    },
  ]);
  await cluster.sync();
  cluster.addNode({ name: 'gpu-1', labels: { ...operatorLabels, 'nvidia.com/mig.config': 'start' } });
  const node = new OperatorNode(cluster, 'gpu-1', before);
  stops.push(() => node.stop());
  const wants = { 'nvidia.com/mig-3g.40gb': 1 };
  cluster.addPod({
    name: 'train',
    node: 'gpu-1',
    labels: { app: 'train' },
    wants,
    controller: replicaSet('train'),
  });
  await cluster.sync();
  const file = join(folder, 'layout.yaml');
  writeFileSync(file, layout);
  const apply = (...args: readonly string[]) =>
    runMica(['cluster', 'apply', '--kubeconfig', cluster.kubeconfigPath, '-f', file, ...args]);
  const writes = (): readonly string[] =>
    cluster
      .requests()
      .filter(({ method }) => method !== 'GET')
      .map(({ method, path }) => `${method} ${path}`);
  return { cluster, node, apply, writes };
}

describe.skipIf(evicting.missing)(evicting.title('mica cluster apply'), () => {
  it('says what it would do, and does nothing', async () => {
    const { apply, writes } = await serve();
    const { stdout, exit } = await apply('--dry-run');
    expect(stdout).toBe(`\
dry run: this would be done
gpu-1  would change  mica-0-7x1g.10gb_1-3x2g.20gb, GPU 1
  would evict default/train
  note: Only GPU 1 is cut anew; 0 pods on other GPUs stay.
  note: Which GPU is held is not known of default/train: counted as disturbed.
`);
    expect(exit).toBe(0);
    expect(writes()).toEqual([]);
  });

  it('does not begin without a yes', async () => {
    const { apply, writes } = await serve();
    const { stderr, exit } = await apply();
    expect(stderr).toContain('needs-yes');
    expect(exit).toBe(2);
    expect(writes()).toEqual([]);
  });

  it('does it, tells how it goes on standard error, and finds nothing to do afterwards', async () => {
    const { apply, node, cluster } = await serve();
    const { stdout, stderr, exit } = await apply('--yes', '--json');
    expect({ exit, answer: JSON.parse(stdout) }).toMatchObject({
      exit: 0,
      answer: { outcome: 'done', nodes: [{ node: 'gpu-1', outcome: 'done', evicted: ['default/train'] }] },
    });
    expect(stderr).toContain('gpu-1: begun, cordoned');
    expect(stderr).toContain('gpu-1: evict default/train');
    expect(node.cut.get(1)).toEqual(wanted);
    await cluster.sync();
    expect(cluster.node('gpu-1').isCordoned).toBe(false);
    expect(await apply('--yes')).toMatchObject({ stdout: 'unchanged\ngpu-1  unchanged\n', exit: 0 });
  });

  it('refuses what the node cannot be, and what nobody said', async () => {
    const { apply, cluster } = await serve();
    const of = async (...args: readonly string[]) => {
      const { stdout, stderr, exit } = await apply('--yes', ...args);
      return { said: `${stdout}${stderr}`, exit };
    };
    expect(await of('--node', 'gpu-7')).toMatchObject({ said: expect.stringContaining('gpu-7'), exit: 2 });
    expect(await of('--max-unavailable', '0')).toMatchObject({ exit: 2 });
    cluster.editNode('gpu-1', { isReady: false });
    expect(await of()).toMatchObject({ said: expect.stringContaining('not ready'), exit: 1 });
  });
});
