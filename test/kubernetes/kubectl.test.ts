/** The real kubectl works against the API server in memory as against a real one. */
import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requires } from '../tooling/requires.js';
import { openTestCluster, type TestCluster } from './test-cluster.js';

const kubectlTool = requires('kubectl');
const deployment = (replicas: number): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: c, image: "i:1" }] }
`;

describe.skipIf(kubectlTool.missing)(kubectlTool.title('kubectl'), () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await openTestCluster();
    await cluster.seed([
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'n1' },
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      },
    ]);
  }, 60_000);
  afterAll(() => cluster.close());

  const kubectl = (arguments_: readonly string[], input = ''): Promise<string> =>
    new Promise((resolve) => {
      const child = execFile(
        'kubectl',
        ['--kubeconfig', cluster.admin.kubeconfigPath, ...arguments_],
        (_, out, err) => resolve(out + err),
      );
      child.stdin?.end(input);
    });

  it('applies, both ways, and says who owns what', async () => {
    expect(await kubectl(['apply', '-f', '-'], deployment(1))).toContain('created');
    expect(await kubectl(['apply', '-f', '-'], deployment(2))).toContain('configured');
    const byServer = ['apply', '--server-side', '-f', '-'];
    expect(await kubectl([...byServer, '--field-manager=team'], deployment(3))).toContain(
      'conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
    );
    expect(await kubectl(['get', 'deploy'])).toMatch(/web +0\/2/);
    // What kubectl applied before is its own, whichever way it goes about it.
    expect(await kubectl(byServer, deployment(3))).toContain('serverside-applied');
    expect(await kubectl(['get', 'deploy'])).toMatch(/web +0\/3/);
  });

  it('labels, cordons, drains and waits', async ({ skip }) => {
    if (!cluster.serves('policy/v1'))
      skip(`${cluster.version} has no policy/v1: its eviction is of Kubernetes 1.22`);
    await cluster.seed([
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p' },
        spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] },
        status: { phase: 'Succeeded' },
      },
    ]);
    expect(await kubectl(['label', 'node', 'n1', 'a=b'])).toContain('labeled');
    expect(await kubectl(['drain', 'n1', '--force', '--timeout=20s'])).toContain('node/n1 drained');
    expect(await kubectl(['get', 'nodes'])).toContain('Ready,SchedulingDisabled');
    expect(await kubectl(['describe', 'node', 'n1'])).toMatch(/Unschedulable: +true/);
  });

  it('is told what is wrong with a manifest', async ({ skip }) => {
    if (!cluster.isAtLeast(25))
      skip(`${cluster.version} leaves that to kubectl: fieldValidation is of Kubernetes 1.25`);
    expect(await kubectl(['create', '-f', '-'], deployment(1).replace('replicas', 'replica'))).toContain(
      'unknown field "spec.replica"',
    );
  });
});
