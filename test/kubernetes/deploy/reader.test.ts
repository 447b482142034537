/** The rights of deploy/kubernetes/reader are what looking needs: with them it works, without any one of them it says so. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '#adapters/system/clock';
import { kubernetesApi } from '#adapters/kubernetes/cluster-api';
import { runMica } from '../../e2e/run-mica.js';
import { mixedCluster } from '../../support/mixed-cluster.js';
import { requires } from '../../tooling/requires.js';
import type { Json } from '../api-server/json.js';
import type { AskedRequest, TestCluster } from '../test-cluster.js';
import { built, installed, inWords, rightsIn, without, type Right } from './deployed.js';

const kubectl = requires('kubectl');
const roles: readonly Json[] = kubectl.missing ? [] : await built('reader');
const rights = rightsIn(roles);
const of = (verb: string, group: string): readonly Right[] =>
  rights.filter((right) => right.verb === verb && right.group === group);

const dra = 'resource.k8s.io/v1';
const askedBy = (account: string, cluster: TestCluster): readonly AskedRequest[] =>
  cluster.requests().filter(({ user }) => user.endsWith(`:${account}`));

describe.skipIf(kubectl.missing)(kubectl.title('the reader of deploy/kubernetes'), () => {
  it('sees what an administrator sees', async () => {
    const { cluster, as } = await installed(roles, mixedCluster());
    onTestFinished(() => cluster.close());
    const look = (kubeconfig: string) => runMica(['cluster', 'show', '--json', '--kubeconfig', kubeconfig]);
    const [asReader, asAdmin] = [
      await look(as('mica-reader').kubeconfigPath),
      await look(cluster.admin.kubeconfigPath),
    ];
    expect(asReader).toEqual(asAdmin);
    expect(asReader.exit).toBe(0);
  });

  it('plans as an administrator does', async () => {
    const { cluster, as } = await installed(roles, mixedCluster());
    onTestFinished(() => cluster.close());
    const plan = (kubeconfig: string) => runMica(['cluster', 'plan', '--json', '--kubeconfig', kubeconfig]);
    const asReader = await plan(as('mica-reader').kubeconfigPath);
    expect(asReader).toEqual(await plan(cluster.admin.kubeconfigPath));
    expect([0, 1]).toContain(asReader.exit);
    const mine = askedBy('mica-reader', cluster);
    expect(mine.filter(({ status }) => status === 403)).toEqual([]);
    expect(new Set(mine.map(({ verb }) => verb))).toEqual(new Set(['list']));
  });

  it('may not change anything, and not read what is not about GPUs', async () => {
    const { cluster, as } = await installed(roles, mixedCluster());
    onTestFinished(() => cluster.close());
    const clock = systemClock;
    const api = kubernetesApi({ env: {}, clock, kubeconfig: as('mica-reader').kubeconfigPath });
    onTestFinished(() => api.close());
    const pod = { namespace: 'default', name: 'bert-0', uid: 'uid-bert-0' };
    const about = { kind: 'Node', namespace: null, name: 'dra-1', uid: 'u' };
    const tried = [
      await api.getNode('dra-1'),
      await api.patchNode('dra-1', { cordoned: true }),
      await api.evict(pod, null),
      await api.deletePod(pod),
      await api.getConfigMap('gpu-operator', 'mica-mig-config'),
      await api.listConfigMaps('gpu-operator', 'a=b'),
      await api.applyConfigMap('gpu-operator', 'mica-mig-config', { a: '1' }),
      await api.recordEvent({ about, type: 'Normal', reason: 'R', message: 'm' }),
    ];
    expect(tried.map((answer) => (answer.ok ? 'allowed' : answer.why.kind))).toEqual(
      tried.map(() => 'forbidden'),
    );
  });

  it('has a right for each request that looking and watching make, and no other', async ({ skip }) => {
    const { cluster, as } = await installed(roles, mixedCluster());
    onTestFinished(() => cluster.close());
    if (!cluster.serves(dra)) skip(`${cluster.version} has no ${dra}`);
    const { kubeconfigPath: kubeconfig } = as('mica-reader');
    const api = kubernetesApi({ env: {}, clock: systemClock, kubeconfig, watchSeconds: 1 });
    onTestFinished(() => api.close());
    const watch = await api.watch(new AbortController().signal);
    onTestFinished(() => watch.close());
    // A watch is in the log once it has ended.
    const asked = (): readonly string[] => [
      ...new Set(askedBy('mica-reader', cluster).map(({ verb, resource }) => `${verb} ${resource}`)),
    ];
    const all = rights.map(inWords).sort();
    await expect.poll(() => asked().toSorted(), { timeout: 10_000 }).toEqual(all);
  });

  it.each(of('list', '').map((right) => [inWords(right), right] as const))(
    'without "%s" it names what is missing',
    async (_, right) => {
      const { cluster, as } = await installed(without(roles, right), mixedCluster());
      onTestFinished(() => cluster.close());
      const { kubeconfigPath } = as('mica-reader');
      const { stdout, stderr, exit } = await runMica(['cluster', 'show', '--kubeconfig', kubeconfigPath]);
      expect({ stdout, exit }).toEqual({ stdout: '', exit: 3 });
      expect(stderr).toContain(`cannot list resource "${right.resource}"`);
      expect(stderr).toContain('must be allowed to list and watch nodes and pods');
      expect(stderr).toContain('deploy/kubernetes/reader');
    },
  );

  it.for(of('list', 'resource.k8s.io').map((right) => [inWords(right), right] as const))(
    'without "%s" all but DRA is shown, and it says so',
    async ([, right], { skip }) => {
      const { cluster, as } = await installed(without(roles, right), mixedCluster());
      onTestFinished(() => cluster.close());
      if (!cluster.serves(dra)) skip(`${cluster.version} has no ${dra}`);
      const { kubeconfigPath } = as('mica-reader');
      const said = `GPUs under DRA are left out: may not list ${right.resource} of resource.k8s.io; deploy/kubernetes/reader has the right`;
      const { stdout, stderr, exit } = await runMica(['cluster', 'show', '--kubeconfig', kubeconfigPath]);
      expect({ stderr, exit }).toEqual({ stderr: `note: ${said}\n`, exit: 0 });
      expect(stdout).toContain('operator-mixed');
      expect(stdout).not.toContain('dra-1');
      for (const command of ['show', 'plan']) {
        const json = await runMica(['cluster', command, '--json', '--kubeconfig', kubeconfigPath]);
        expect(JSON.parse(json.stdout).notes).toContain(said);
        expect(json.stderr).toContain(`note: ${said}\n`);
      }
    },
  );

  it.for(rights.filter(({ verb }) => verb === 'watch').map((right) => [inWords(right), right] as const))(
    'without "%s" the watch says that it is not up to date, and why',
    async ([, right], { skip }) => {
      const { cluster, as } = await installed(without(roles, right), mixedCluster());
      onTestFinished(() => cluster.close());
      if (right.group !== '' && !cluster.serves(dra)) skip(`${cluster.version} has no ${dra}`);
      const clock = systemClock;
      const api = kubernetesApi({ env: {}, clock, kubeconfig: as('mica-reader').kubeconfigPath });
      onTestFinished(() => api.close());
      const watch = await api.watch(new AbortController().signal);
      onTestFinished(() => watch.close());
      await expect
        .poll(() => watch.trouble())
        .toEqual({
          kind: 'forbidden',
          message: expect.stringContaining(`cannot watch resource "${right.resource}"`),
          retryAfterMs: null,
        });
    },
  );
});
