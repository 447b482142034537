/** `mica controller` as a process with its own rights, at ten times the speed, against an API server with a node acted out. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { entriesFor, type GpuCut } from '#core/cluster/operator/mig-config';
import { yamlText } from '#engines/emit/yaml-text';
import { operatorNamespace } from '../support/operator-cluster.js';
import { defineKind, policiesPath } from '../support/served-policies.js';
import { Started } from '../support/started.js';
import { root } from '../tooling/clone.js';
import { requires } from '../tooling/requires.js';
import { OperatorNode } from './actors/operator-node.js';
import { operatorLabels, smallAndLarge } from './actors/operator-world.js';
import { fastClock, ServedCluster } from './actors/served-cluster.js';
import { replicaSet } from './actors/workload.js';
import type { Json } from './api-server/json.js';
import { built, kubectlPrints } from './deploy/deployed.js';

const speed = 10;
const kubectl = requires('kubectl');

// The first start after a change builds the sources.
beforeAll(() => void spawnSync(process.execPath, [join(root, 'bin/mica'), '--version']), 60_000);

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function serve() {
  const cluster = await ServedCluster.start(fastClock(speed));
  stops.push(() => cluster.stop());
  const { ask } = cluster.cluster;
  const objects = await built('controller');
  await defineKind(
    ask,
    objects.find(({ kind }) => kind === 'CustomResourceDefinition'),
  );
  const isRight = ({ kind }: Json): boolean =>
    /^(Namespace|ServiceAccount|(Cluster)?Role(Binding)?)$/.test(kind);
  await cluster.cluster.seed(objects.filter(isRight));
  const anew = { mig: true, counts: { '2g.20gb': 3 } } as const;
  const wanted = new Map<number, GpuCut>([
    [0, anew],
    [1, anew],
  ]);
  // What it will come to is there already: nobody has to wait for the kubelet to bring it into the pod.
  const configs = { start: entriesFor(smallAndLarge), 'mica-0.1-3x2g.20gb': entriesFor(wanted) };
  await cluster.ports().api.applyConfigMap(operatorNamespace, 'mica-mig-config', {
    'config.yaml': yamlText({ version: 'v1', 'mig-configs': configs }),
  });
  await cluster.sync();
  cluster.addNode({ name: 'gpu-1', labels: { ...operatorLabels, 'nvidia.com/mig.config': 'start' } });
  const node = new OperatorNode(cluster, 'gpu-1', smallAndLarge);
  stops.push(() => node.stop());
  await cluster.sync();
  const account = cluster.cluster.user('system:serviceaccount:mica-system:mica-controller');
  const kubectlSays = async (args: readonly string[], input = ''): Promise<string> => {
    const { text, failed } = await kubectlPrints(args, { KUBECONFIG: cluster.kubeconfigPath }, input);
    expect({ failed, text }).toEqual({ failed: false, text });
    return text;
  };
  const statusNow = async (): Promise<Json> => (await ask('GET', `${policiesPath}/inference`)).body.status;
  return { cluster, node, account, kubectlSays, statusNow };
}

class Controller extends Started {
  constructor(name: string, kubeconfig: string, flags: readonly string[] = ['--json']) {
    super(
      spawn(
        process.execPath,
        [
          ...['--import', join(root, 'test/support/fast-time.mjs'), join(root, 'bin/mica'), 'controller'],
          ...['--kubeconfig', kubeconfig, '--listen', '127.0.0.1:0', ...flags],
        ],
        { env: { ...process.env, MICA_TEST_SPEED: String(speed), POD_NAME: name } },
      ),
    );
    stops.push(() => this.kill('SIGKILL'));
  }

  entries(): readonly Json[] {
    return this.stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line): Json => JSON.parse(line));
  }

  async tells(kind: string, more: Json = {}): Promise<void> {
    const found = (): void =>
      expect(this.entries()).toContainEqual(expect.objectContaining({ ...more, kind }));
    await vi.waitFor(found, { timeout: 40_000, interval: 20 });
  }

  async answers(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const { listens } = this.entries().find(({ kind }) => kind === 'started');
    const response = await fetch(`${String(/http:\S+/.exec(listens)?.[0])}${path}`);
    return { status: response.status, text: await response.text() };
  }
}

const policyFile = (mode: 'Auto' | 'Recommend'): string => `
apiVersion: mica.dev/v1alpha1
kind: MigPolicy
metadata: { name: inference }
spec: { mode: ${mode}, pendingSeconds: 0, cooldownSeconds: 0 }
`;

function addWaiting(cluster: ServedCluster): void {
  cluster.addPod({
    name: 'wants-2g',
    labels: { app: 'web' },
    wants: { 'nvidia.com/mig-2g.20gb': 1 },
    controller: replicaSet('web'),
    isReady: false,
    unschedulable: {
      message: '0/1 nodes are available: 1 Insufficient nvidia.com/mig-2g.20gb.',
      sinceMs: Date.now() - 60_000,
    },
  });
}

const within = { timeout: 40_000, interval: 50 };

describe.skipIf(kubectl.missing)(kubectl.title('mica controller in a cluster'), { timeout: 120_000 }, () => {
  it('cuts a node for a pod that waits, also where its leader is killed, and hands over when it is told to end', async () => {
    const { cluster, node, account, kubectlSays, statusNow } = await serve();
    const lease = async (): Promise<Json> =>
      (await cluster.cluster.list('leases.coordination.k8s.io', 'mica-system'))[0]?.spec;
    const first = new Controller('first', account.kubeconfigPath);
    await first.tells('leading');
    await kubectlSays(['apply', '-f', '-'], policyFile('Auto'));
    addWaiting(cluster);
    await first.tells('change-began', { node: 'gpu-1', policy: 'inference' });
    await vi.waitFor(() => expect(cluster.node('gpu-1').isCordoned).toBe(true), within);

    await first.kill('SIGKILL');
    const second = new Controller('second', account.kubeconfigPath);
    await second.tells('following', { holder: expect.stringMatching(/^first_[0-9a-f]{8}$/) });
    expect(await second.answers('/readyz')).toMatchObject({
      status: 200,
      text: expect.stringContaining('following'),
    });
    await second.tells('leading');
    await second.tells('change-ended', { node: 'gpu-1', outcome: 'done' });
    expect(Object.values(Object.fromEntries(node.cut))).toContainEqual(
      expect.objectContaining({ counts: expect.objectContaining({ '2g.20gb': expect.any(Number) }) }),
    );
    await vi.waitFor(() => expect(cluster.node('gpu-1').isCordoned).toBe(false), within);
    expect(cluster.node('gpu-1').annotations).not.toHaveProperty('mica.dev/change');
    expect(cluster.broken).toEqual([]);

    await vi.waitFor(async () => {
      const status = await statusNow();
      expect(status).toMatchObject({
        nodes: 1,
        waitingPods: 0,
        stuckNodes: 0,
        lastChange: { node: 'gpu-1', outcome: 'done' },
      });
      const reasons = Object.fromEntries(status.conditions.map(({ type, reason }: Json) => [type, reason]));
      expect(reasons).toMatchObject({ Ready: 'Followed', Satisfied: 'NobodyWaits', Progressing: 'Idle' });
    }, within);
    expect(await kubectlSays(['get', 'migpolicies'])).toMatch(/inference +Auto +1 +0 +NobodyWaits +Idle/);
    expect(await kubectlSays(['describe', 'pod', 'wants-2g'])).toContain('MigSliceComing');

    expect(await second.answers('/healthz')).toMatchObject({ status: 200 });
    expect(await second.answers('/readyz')).toMatchObject({
      status: 200,
      text: expect.stringContaining('leading'),
    });
    const { text: metrics } = await second.answers('/metrics');
    for (const line of [
      'mica_controller_leader 1',
      'mica_controller_node_changes_total{outcome="done"} 1',
      'mica_controller_policy_nodes{policy="inference"} 1',
    ])
      expect(metrics).toContain(`${line}\n`);

    const third = new Controller('third', account.kubeconfigPath);
    await third.tells('following');
    expect(await second.kill('SIGTERM')).toBe(0);
    expect((await lease()).holderIdentity).not.toMatch(/^second/);
    expect(second.entries().slice(-2)).toMatchObject([
      { kind: 'stepped-down', why: 'it was told to end' },
      { kind: 'stopped', why: 'SIGTERM' },
    ]);
    await third.tells('leading');
    expect(await third.kill('SIGINT')).toBe(0);
    expect((await lease()).holderIdentity).toBe('');
  });

  it('only says what it would do where it may only recommend, and writes nothing at all in a rehearsal', async () => {
    const { cluster, account, kubectlSays, statusNow } = await serve();
    const written = (): readonly string[] =>
      cluster
        .requests()
        .filter(({ method, user }) => method !== 'GET' && user.endsWith(':mica-controller'))
        .map(({ method, path }) => `${method} ${path}`);
    await kubectlSays(['apply', '-f', '-'], policyFile('Auto'));
    addWaiting(cluster);
    const rehearsal = new Controller('rehearsal', account.kubeconfigPath, ['--dry-run', '--listen', 'none']);
    await vi.waitFor(() => expect(rehearsal.stderr).toMatch(/ info policy inference: .*Recommends/), within);
    expect(await rehearsal.kill('SIGTERM')).toBe(0);
    expect(written()).toEqual([]);

    await kubectlSays(['apply', '-f', '-'], policyFile('Recommend'));
    const only = new Controller('only', account.kubeconfigPath);
    await only.tells('leading');
    await vi.waitFor(async () => {
      const status = await statusNow();
      expect(status).toMatchObject({
        waitingPods: 1,
        recommendation: { nodes: [{ node: 'gpu-1', after: expect.stringContaining('2g.20gb') }] },
      });
    }, within);
    await only.tells('advice', { policy: 'inference', says: expect.stringContaining('Recommends') });
    expect(await only.kill('SIGTERM')).toBe(0);
    const may = /^(POST|PATCH) \S*\/(leases(\/mica-controller)?|events|migpolicies\/inference\/status)$/;
    expect(written().filter((one) => !may.test(one))).toEqual([]);
    expect(written().length).toBeGreaterThan(2);
    expect(await kubectlSays(['describe', 'migpolicy', 'inference'])).toContain('Recommends');
  });
});
