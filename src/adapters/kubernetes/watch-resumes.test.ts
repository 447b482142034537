/** A watch over the ends of its connection, on the API server in memory or a real one. */
import { expect, it, onTestFinished } from 'vitest';
import { until } from '#ports/cluster-api.contract';
import { clusterByApi } from '../../../test/support/cluster-by-api.js';
import { hurriedClock } from '../../../test/support/cluster-on-server.js';
import { kubernetesApi } from './cluster-api.js';

it('goes on where it ended, without a list', async () => {
  const { cluster, world, close } = await clusterByApi();
  onTestFinished(close);
  const { kubeconfigPath: kubeconfig } = cluster.user('watcher', ['system:masters']);
  const api = kubernetesApi({ kubeconfig, clock: hurriedClock, watchSeconds: 1, random: () => 0, env: {} });
  onTestFinished(() => api.close());
  await world.putNode({ name: 'a' });
  const watch = await api.watch(new AbortController().signal);
  onTestFinished(() => watch.close());
  const asked = (verb: string) =>
    cluster
      .requests()
      .filter((one) => one.user === 'watcher' && one.resource === 'nodes' && one.verb === verb);
  for (let round = 1; round <= 3; round += 1) {
    // A watch is in the log once it has ended.
    await expect.poll(() => asked('watch').length, { timeout: 20_000 }).toBeGreaterThanOrEqual(round);
    await world.putNode({ name: 'a', labels: { round: String(round) } });
    await until(watch, () => watch.node('a')?.labels['round'] === String(round));
  }
  expect(asked('list')).toHaveLength(1);
  expect(watch.trouble()).toBeNull();
});
