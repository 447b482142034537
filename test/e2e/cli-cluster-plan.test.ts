/** `mica cluster plan` on a server and on kubectl's output; answers byte for byte: UPDATE_GOLDEN=1 npx vitest run test/e2e/cli-cluster-plan */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPlanFile } from '#apps/cli/documents/plan-file';
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';
import { startApiServer, type ApiServer } from '../kubernetes/api-server/server.js';
import { gpuNode, pending, running } from '../support/planned-cluster.js';
import { wireNode, wirePod } from '../support/wire-objects.js';
import { root } from '../tooling/clone.js';
import { runMica } from './run-mica.js';

const folder = mkdtempSync(join(tmpdir(), 'mica-test-'));
let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer();
  server.seed(wired(nodes, pods));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** Three nodes under the GPU Operator, a GKE pool of the wrong size; pods that wait for both. */
const nodes: readonly ClusterNode[] = [
  gpuNode('gpu-1', { '1g.24gb': 8 }, { gpus: 2, labels: { 'eks.amazonaws.com/nodegroup': 'inference' } }),
  gpuNode('gpu-2', { '1g.24gb': 4 }, { labels: { 'eks.amazonaws.com/nodegroup': 'inference' } }),
  gpuNode('gpu-3', { '2g.48gb': 2 }, { labels: { 'eks.amazonaws.com/nodegroup': 'inference' } }),
  gpuNode('gke-a', { '1g.24gb': 4 }, { gke: { size: '1g.24gb', pool: 'small' } }),
  gpuNode('gke-b', { '1g.24gb': 4 }, { gke: { size: '1g.24gb', pool: 'small' } }),
];
const onGke = { nodeSelector: { 'cloud.google.com/gke-gpu-partition-size': '2g.48gb' } };
const pods: readonly ClusterPod[] = [
  ...[0, 1, 2, 3, 4].map((index) => running('embed', 'gpu-1', '1g.24gb', index)),
  running('rerank', 'gpu-2', '1g.24gb', 0),
  { ...running('notebook', 'gpu-3', '2g.48gb'), controller: null },
  running('chat', 'gpu-3', '2g.48gb', 0),
  pending('llm', '2g.48gb'),
  pending('trainer', null, 8),
  { ...pending('on-gke', null), ...onGke },
  { ...running('tiny', 'gke-b', null, 0), wants: { 'nvidia.com/gpu': 1 } },
];

function wired(some: readonly ClusterNode[], others: readonly ClusterPod[]): readonly object[] {
  return [...some.map(wireNode), ...others.map(wirePod)];
}

function fileOf(name: string, items: readonly object[]): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  return path;
}

function holdEqual(name: string, shown: string): void {
  const file = join(root, 'test/golden/cluster', name);
  if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(file, shown);
  expect(shown).toBe(readFileSync(file, 'utf8'));
}

describe('mica cluster plan', () => {
  it('says what to cut, who moves, which pools change, and what stays without a place', async () => {
    const { stdout, stderr, exit } = await runMica([
      'cluster',
      'plan',
      '--kubeconfig',
      server.kubeconfigPath,
    ]);
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 1 });
    holdEqual('plan.txt', stdout);
  });

  it('the same from what kubectl printed', async () => {
    const file = fileOf('cluster.json', wired(nodes, pods));
    const fromFile = await runMica(['cluster', 'plan', '--from', file]);
    const fromServer = await runMica(['cluster', 'plan', '--kubeconfig', server.kubeconfigPath]);
    expect(fromFile.stdout).toBe(fromServer.stdout);
  });

  it('as JSON, whose plan `mica cluster apply` reads', async () => {
    const file = fileOf('json.json', wired(nodes, pods));
    const { stdout } = await runMica(['cluster', 'plan', '--from', file, '--json']);
    holdEqual('plan.json', stdout);
    const answer = JSON.parse(stdout);
    const read = readPlanFile(stdout, 'plan.json');
    expect(read).toMatchObject({
      ok: true,
      value: answer.plan.layouts.map(({ node }: { node: string }) => ({ node })),
    });
  });

  it('reads, and nothing else', async () => {
    const before = server.requests.length;
    await runMica(['cluster', 'plan', '--kubeconfig', server.kubeconfigPath]);
    expect([...new Set(server.requests.slice(before).map(({ verb }) => verb))]).toEqual(['list']);
  });

  it('writes files for the GPU Operator and for GKE', async () => {
    const file = fileOf('emit.json', wired(nodes, pods));
    const plan = ['cluster', 'plan', '--from', file];
    const operator = await runMica([...plan, '--emit', 'gpu-operator']);
    expect(operator.stdout).toContain('mig-configs:');
    expect(operator.stdout).toContain('gpu-2');
    const gke = await runMica([...plan, '--emit', 'gke', '--location', 'us-central1-b']);
    expect(gke.stdout).toContain('gpu-partition-size=2g.48gb');
    expect(gke.stdout).toContain('--num-nodes=1');
  });

  it('--pool, --target and --rent', async () => {
    const file = fileOf('flags.json', wired(nodes, pods));
    const plan = async (...args: readonly string[]) =>
      JSON.parse((await runMica(['cluster', 'plan', '--from', file, '--json', ...args])).stdout);
    expect((await plan('--target', 'gke')).nodes).toEqual([]);
    expect((await plan('--pool', 'inference')).pools).toEqual([]);
    const rented = await plan('--rent', 'g7e.48xlarge=1');
    expect(rented.unplaced).toEqual([]);
    expect(rented.machines.machines).toContainEqual(
      expect.objectContaining({ machineType: 'g7e.48xlarge', count: 1 }),
    );
  });

  it('heeds an audit where that frees a node', async () => {
    const some = [gpuNode('a', { '2g.48gb': 2 }), gpuNode('b', { '2g.48gb': 2 })];
    const few = [0, 1, 2].map((index) => running('bert', index === 2 ? 'b' : 'a', '2g.48gb', index));
    const audit = join(folder, 'audit.json');
    const workload = {
      ...{ workload: 'bert', namespace: 'default', owner: { kind: 'Deployment', name: 'bert' } },
      recommended: { model: 'rtx-pro-6000-blackwell-server', profile: '1g.24gb' },
      ...{ verdict: 'slice', confidence: 'high' },
    };
    writeFileSync(audit, JSON.stringify({ schema: 'mica/audit@1', workloads: [workload] }));
    const file = fileOf('audited.json', wired(some, few));
    const { stdout, exit } = await runMica(['cluster', 'plan', '--from', file, '--audit', audit]);
    expect(exit).toBe(0);
    expect(stdout).toContain('change Deployment default/bert (3 pods) to ask for 1g.24gb instead of 2g.48gb');
    expect(stdout).toContain('2 -> 1');
  });

  it('says what is wrong', async () => {
    const bad = join(folder, 'bad.json');
    writeFileSync(bad, '{"kind":"List","items":[{"kind":"Node"}]}');
    const cases: readonly (readonly [readonly string[], string])[] = [
      [['--from', bad], 'lacks what every node or pod has'],
      [['--from', fileOf('none.json', [])], 'no node is in it'],
      [
        ['--from', fileOf('p.json', wired(nodes, [])), '--pool', 'x'],
        "called 'x': there are inference, small",
      ],
      [['--from', fileOf('r.json', wired(nodes, [])), '--rent', 'big'], 'no such machine type'],
    ];
    for (const [args, message] of cases) {
      const { stderr, exit } = await runMica(['cluster', 'plan', ...args]);
      expect({ exit, says: stderr.includes(message), stderr }).toMatchObject({ exit: 2, says: true });
    }
  });
});
