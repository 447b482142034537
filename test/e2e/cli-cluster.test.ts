/** `mica cluster` against a strict API server; whole answers byte for byte: UPDATE_GOLDEN=1 npx vitest run test/e2e/cli-cluster */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startApiServer, type ApiServer } from '../kubernetes/api-server/server.js';
import { mixedCluster } from '../support/mixed-cluster.js';
import { wirePod } from '../support/wire-objects.js';
import { root } from '../tooling/clone.js';
import { requires } from '../tooling/requires.js';
import { runMica } from './run-mica.js';

let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer();
  server.seed(mixedCluster());
});
afterAll(() => server.close());

function holdEqual(name: string, shown: string): void {
  const file = join(root, 'test/golden/cluster', `${name}.txt`);
  if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(file, shown);
  expect(shown).toBe(readFileSync(file, 'utf8'));
}

function show(args: readonly string[] = [], options: Parameters<typeof runMica>[1] = {}) {
  return runMica(['cluster', 'show', '--kubeconfig', server.kubeconfigPath, ...args], options);
}

describe('mica cluster show', () => {
  it('draws nodes of every kind, what is free, and what waits and why', async () => {
    const { stdout, stderr, exit } = await show();
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
    holdEqual('show', stdout);
  });

  it('the same from what kubectl printed, and never together with a cluster or --watch', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mica-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'cluster.json');
    writeFileSync(file, JSON.stringify({ kind: 'List', apiVersion: 'v1', items: mixedCluster() }));
    const fromFile = await runMica(['cluster', 'show', '--from', file]);
    expect(fromFile).toEqual({ ...(await show()) });
    expect((await runMica(['cluster', 'show', '--from', file, '--json'])).stdout).toBe(
      (await show(['--json'])).stdout,
    );
    const greedy = wirePod({ name: 'greedy', node: 'operator-mixed', wants: { 'nvidia.com/gpu': 1e12 } });
    const odd = { kind: 'List', items: [...mixedCluster(), greedy] };
    writeFileSync(join(folder, 'odd.json'), JSON.stringify(odd));
    expect(await runMica(['cluster', 'show', '--from', join(folder, 'odd.json')])).toMatchObject({ exit: 0 });
    expect(await show(['--from', file])).toMatchObject({ exit: 2 });
    expect(await runMica(['cluster', 'show', '--from', file, '--watch'])).toMatchObject({ exit: 2 });
  });

  it('fits a narrow terminal', async () => {
    const { stdout } = await show([], { columns: 60, env: { NO_COLOR: '1' } });
    holdEqual('show-narrow', stdout);
    const long = stdout.split('\n').filter((line) => line.length > 60 && /[[(#]/.test(line));
    expect(long).toEqual([]);
  });

  it('has colour on a terminal, and none in a pipe', async () => {
    expect((await show([], { columns: 100 })).stdout).toContain('\u001b[1m');
    expect((await show()).stdout).not.toContain('\u001b');
  });

  it('one pool, and what there is instead of one that is not there', async () => {
    const { stdout } = await show(['--pool', 'dra']);
    expect(stdout).toContain('dra-1');
    expect(stdout).not.toContain('operator-single');
    const { stderr, exit } = await show(['--pool', 'drax']);
    expect({ stderr, exit }).toEqual({
      stderr: expect.stringContaining("called 'drax': there are dra, gpu, mig"),
      exit: 2,
    });
  });

  it('answers as JSON', async () => {
    const { stdout } = await show(['--json']);
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ schema: 'mica/cluster@1' });
    expect(
      answer.nodes.map((node: { name: string; partitioner: string }) => [node.name, node.partitioner]),
    ).toEqual([
      ['operator-failed', 'gpu-operator'],
      ['operator-mixed', 'gpu-operator'],
      ['operator-single', 'gpu-operator'],
      ['operator-whole', 'gpu-operator'],
      ['dra-1', 'dra'],
      ['plugin-1', 'device-plugin'],
      ['gke-cluster-1-mig-9f2c1d7e-x0aa', 'gke'],
    ]);
    expect(answer.waiting).toHaveLength(4);
  });

  it('reads, and nothing else', async () => {
    const before = server.requests.length;
    await show();
    const verbs = server.requests.slice(before).map(({ verb }) => verb);
    expect([...new Set(verbs)]).toEqual(['list']);
  });
});

describe('what is wrong is said', () => {
  const reader = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'reads-nodes-and-pods' },
    rules: [{ apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['get', 'list', 'watch'] }],
  };
  const binding = (user: string) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `binds-${user}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reads-nodes-and-pods' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
  });

  it('no rights: which ones are needed', async () => {
    const { kubeconfigPath } = server.users.add('nobody');
    const { stderr, exit } = await runMica(['cluster', 'show', '--kubeconfig', kubeconfigPath]);
    expect(exit).toBe(3);
    expect(stderr).toContain('cannot list resource "nodes"');
    expect(stderr).toContain('must be allowed to list and watch nodes and pods');
  });

  it('rights on nodes and pods alone are enough; DRA is left out then', async () => {
    server.seed([reader, binding('reader')]);
    const { kubeconfigPath } = server.users.add('reader');
    const { stdout, exit } = await runMica(['cluster', 'show', '--kubeconfig', kubeconfigPath]);
    expect(exit).toBe(0);
    expect(stdout).toContain('operator-mixed');
    expect(stdout).not.toContain('dra-1');
  });

  it('no kubeconfig: what to do', async () => {
    const home = mkdtempSync(join(tmpdir(), 'mica-test-'));
    onTestFinished(() => rmSync(home, { recursive: true }));
    const { stderr, exit } = await runMica(['cluster', 'show'], { env: { HOME: home } });
    expect(exit).toBe(2);
    expect(stderr).toContain(`No kubeconfig was found: there is no ${home}/.kube/config`);
    expect(stderr).toContain('--kubeconfig FILE');
  });
});

const kubectl = requires('kubectl');
describe.skipIf(kubectl.missing)(kubectl.title('as a plugin of kubectl'), () => {
  const folder = mkdtempSync(join(tmpdir(), 'mica-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const env = () => ({
    ...process.env,
    NO_COLOR: '1',
    HOME: folder,
    PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
    KUBECONFIG: server.kubeconfigPath,
  });
  // The first start after a change builds the sources.
  beforeAll(() => {
    symlinkSync(join(root, 'bin/kubectl-mica'), join(folder, 'kubectl-mica'));
    spawnSync(process.execPath, [join(root, 'bin/mica'), '--version']);
  }, 120_000);

  it('kubectl mica show is mica cluster show', async () => {
    const ran = await new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
      const child = spawn('kubectl', ['mica', 'show'], { env: env() });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk) => (stdout += String(chunk)));
      child.stderr.on('data', (chunk) => (stderr += String(chunk)));
      child.on('close', (status) => resolve({ status, stdout, stderr }));
    });
    expect(ran).toEqual({
      status: 0,
      stderr: '',
      stdout: readFileSync(join(root, 'test/golden/cluster/show.txt'), 'utf8'),
    });
  });

  it('--watch shows a change, and ends at Ctrl-C', async () => {
    const child = spawn('kubectl', ['mica', 'show', '--watch', '--json'], { env: env() });
    let lines = '';
    const saw = (text: string) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (!lines.includes(text)) return;
          child.stdout.off('data', look);
          resolve();
        };
        child.stdout.on('data', look);
        look();
      });
    child.stdout.on('data', (chunk) => (lines += String(chunk)));
    await saw('mica/cluster@1');
    server.seed([wirePod({ name: 'came-later', wants: { 'nvidia.com/gpu': 1 } })]);
    await saw('came-later');
    const closed = new Promise((resolve) => child.on('close', resolve));
    child.kill('SIGINT');
    expect(await closed).toBe(0);
  });
});
