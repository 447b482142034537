/** The rights of deploy/kubernetes/pools: each call with which nodes of a pool are emptied, with them and without any one. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { kubernetesApi } from '#adapters/kubernetes/cluster-api';
import { systemClock } from '#adapters/system/clock';
import type { ApiAnswer } from '#ports/cluster-api';
import { gkeG4 } from '../../support/node-labels.js';
import { wireNode, wirePod } from '../../support/wire-objects.js';
import { requires } from '../../tooling/requires.js';
import type { Json } from '../api-server/json.js';
import { evictions } from '../test-cluster.js';
import { built, installed, inWords, rightsIn, without } from './deployed.js';

const kubectl = requires('kubectl');
const evicting = await evictions();
const roles: readonly Json[] = kubectl.missing ? [] : await built('pools');
const reads = new Set(rightsIn(kubectl.missing ? [] : await built('reader')).map(inWords));
const rights = rightsIn(roles).filter((right) => !reads.has(inWords(right)));

const taint = { key: 'mica.dev/mig-not-ready', effect: 'NoSchedule' };

/** What `mica cluster pool change` asks of Kubernetes, beside looking. */
async function emptyNode(allowed: readonly Json[]): Promise<readonly ApiAnswer<unknown>[]> {
  const { cluster, as } = await installed(allowed, [
    wireNode({ name: 'gke-1', labels: gkeG4, taints: [{ ...taint, value: '' }] }),
    wirePod({ name: 'bert', node: 'gke-1', wants: { 'nvidia.com/gpu': 1 } }),
  ]);
  onTestFinished(() => cluster.close());
  const kubeconfig = as('mica-operator').kubeconfigPath;
  const api = kubernetesApi({ env: {}, clock: systemClock, kubeconfig });
  onTestFinished(() => api.close());
  const { nodes } = await api.read(new AbortController().signal);
  expect(nodes).toHaveLength(1);
  const uid: string = (await cluster.list('pods'))[0].metadata.uid;
  const annotations = { 'mica.dev/cordoned-for': 'x' };
  return [
    await api.patchNode('gke-1', { cordoned: true, annotations }),
    await api.patchNode('gke-1', { removeTaints: [taint] }),
    await api.evict({ namespace: 'default', name: 'bert', uid }, null),
  ];
}

describe.skipIf(kubectl.missing || evicting.missing)(
  evicting.title(kubectl.title('the pools of deploy/kubernetes')),
  () => {
    it('may look, cordon, untaint and evict', async () => {
      expect((await emptyNode(roles)).map(({ ok }) => ok)).toEqual([true, true, true]);
    });

    it.each(rights.map((right) => [inWords(right), right] as const))(
      'without "%s" the call that needs it is refused, and says so',
      async (_, right) => {
        const answers = await emptyNode(without(roles, right));
        const refused = answers.flatMap((answer) => (answer.ok ? [] : [answer.why]));
        expect(refused.length).toBeGreaterThan(0);
        for (const { kind, message } of refused) {
          expect(kind).toBe('forbidden');
          expect(message).toContain(`cannot ${right.verb} resource "${right.resource}"`);
        }
      },
    );
  },
);
