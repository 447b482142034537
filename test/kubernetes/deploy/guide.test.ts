/** The guide to clusters prints what it shows. After a wanted change: UPDATE_GOLDEN=1 npx vitest run test/kubernetes/deploy/guide */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GkeServer } from '../../clouds/gke-server.js';
import { oldPool } from '../../clouds/gke-world.js';
import { runMica } from '../../e2e/run-mica.js';
import { aPod } from '../../support/cluster-objects.js';
import { gpuNode, pending, running } from '../../support/planned-cluster.js';
import { wireNode, wirePod } from '../../support/wire-objects.js';
import { root } from '../../tooling/clone.js';
import { requires } from '../../tooling/requires.js';
import { startApiServer } from '../api-server/server.js';
import { kubectlPrints } from './deployed.js';

const kubectl = requires('kubectl');
const path = join(root, 'docs/guides/clusters.md');

/** Files that the guide shows, and commands with what they print. */
const piece = /`([\w-]+\.yaml)`:\n\n```yaml\n([^`]*)```|```console\n\$ (mica|kubectl) ([^\n]*)\n([^`]*)```/g;

/** Two nodes under the GPU Operator and a pool of GKE; one pod waits for a slice that nobody has cut. */
function guideCluster(): readonly object[] {
  const small = { 'nvidia.com/mig.config': 'all-1g.24gb' };
  const nodes = [
    gpuNode('gpu-1', { '1g.24gb': 8 }, { gpus: 2, labels: small }),
    gpuNode('gpu-2', { '1g.24gb': 4 }, { labels: small }),
    ...[0, 1].map((index) =>
      gpuNode(
        `gke-${oldPool.name}-${index}`,
        { '1g.24gb': 4 },
        { gke: { size: '1g.24gb', pool: oldPool.name } },
      ),
    ),
  ];
  const managers = ['gpu-1', 'gpu-2'].map((node) =>
    aPod({
      name: `nvidia-mig-manager-${node}`,
      namespace: 'gpu-operator',
      node,
      labels: { app: 'nvidia-mig-manager' },
      controller: { kind: 'DaemonSet', name: 'nvidia-mig-manager', uid: 'uid-manager' },
    }),
  );
  const pods = [
    ...[0, 1, 2, 3, 4].map((index) => running('embed', 'gpu-1', '1g.24gb', index)),
    running('rerank', 'gpu-2', '1g.24gb', 0),
    { ...running('tiny', `gke-${oldPool.name}-1`, null, 0) },
    pending('llm', '2g.48gb'),
  ];
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gpu-operator' } };
  return [namespace, ...nodes.map(wireNode), ...[...managers, ...pods].map(wirePod)];
}

describe.skipIf(kubectl.missing)(kubectl.title('docs/guides/clusters.md'), () => {
  it('prints what it shows', { timeout: 60_000 }, async () => {
    const server = await startApiServer();
    onTestFinished(() => server.close());
    server.seed(guideCluster());
    const gke = new GkeServer();
    const endpoint = await gke.listen();
    onTestFinished(() => gke.close());
    gke.addPool(oldPool);
    const folder = mkdtempSync(join(tmpdir(), 'mica-guide-'));
    symlinkSync(join(root, 'deploy'), join(folder, 'deploy'));
    const before = process.cwd();
    process.chdir(folder);
    onTestFinished(() => {
      process.chdir(before);
      rmSync(folder, { recursive: true });
    });
    const env = {
      KUBECONFIG: server.kubeconfigPath,
      HOME: folder,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER: endpoint,
      CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true',
    };
    const outputOf = async (tool: string, command: string): Promise<string> => {
      const [words = '', file] = command.split(' > ');
      if (tool === 'kubectl') return (await kubectlPrints(words.split(' '), env)).text;
      const { stdout, stderr } = await runMica(words.split(' '), { env });
      if (file === undefined) return `${stdout}${stderr}`;
      writeFileSync(file, stdout);
      return stderr;
    };
    const page = readFileSync(path, 'utf8');
    let shown = '';
    let end = 0;
    let commands = 0;
    for (const match of page.matchAll(piece)) {
      const [whole, file, content = '', tool = '', command = ''] = match;
      shown += page.slice(end, match.index);
      end = match.index + whole.length;
      if (file !== undefined) writeFileSync(file, content);
      if (file !== undefined) shown += whole;
      else shown += `\`\`\`console\n$ ${tool} ${command}\n${await outputOf(tool, command)}\`\`\``;
      if (file === undefined) commands += 1;
    }
    shown += page.slice(end);
    expect(commands).toBeGreaterThan(5);
    if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(path, shown);
    expect(readFileSync(path, 'utf8')).toBe(shown);
  });
});
