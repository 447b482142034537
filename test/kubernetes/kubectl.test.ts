/** The real kubectl works against the in-memory API server. */
import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requires } from '../tooling/requires.js';
import { startApiServer, type ApiServer } from './api-server/server.js';

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
  let server: ApiServer;
  beforeAll(async () => {
    server = await startApiServer();
    server.seed([
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'n1' },
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      },
    ]);
  });
  afterAll(() => server.close());

  const kubectl = (arguments_: readonly string[], input = ''): Promise<string> =>
    new Promise((resolve) => {
      const child = execFile(
        'kubectl',
        ['--kubeconfig', server.kubeconfigPath, ...arguments_],
        (_, out, err) => resolve(out + err),
      );
      child.stdin?.end(input);
    });

  it('applies, both ways, and says who owns what', async () => {
    expect(await kubectl(['apply', '-f', '-'], deployment(1))).toContain('created');
    expect(await kubectl(['apply', '-f', '-'], deployment(2))).toContain('configured');
    expect(await kubectl(['apply', '--server-side', '-f', '-'], deployment(3))).toContain(
      'conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
    );
    expect(await kubectl(['get', 'deploy'])).toMatch(/web +0\/2/);
  });

  it('labels, cordons, drains and waits', async () => {
    server.seed([
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

  it('is told what is wrong with a manifest', async () => {
    expect(await kubectl(['create', '-f', '-'], deployment(1).replace('replicas', 'replica'))).toContain(
      'unknown field "spec.replica"',
    );
  });
});
