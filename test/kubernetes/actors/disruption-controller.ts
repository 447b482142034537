/** Counts what disruption budgets allow, where a cluster has no kube-controller-manager that does. */
import { setTimeout as wait } from 'node:timers/promises';
import { without, type Json } from '../api-server/json.js';
import { isReady } from '../api-server/budgets.js';
import { selects } from '../api-server/selectors.js';
import type { TestCluster } from '../test-cluster.js';

/** Once. A cluster with controllers of its own needs nobody for it. */
export async function countBudgets(cluster: TestCluster): Promise<void> {
  if (cluster.hasControllers || !cluster.serves('policy/v1')) return;
  for (const budget of await cluster.list('poddisruptionbudgets.policy')) {
    const { name, namespace, generation } = budget.metadata;
    const pods = (await cluster.list('pods', namespace)).filter((pod) =>
      selects(budget.spec.selector, pod.metadata.labels),
    );
    const disruptedPods: Json = {};
    for (const [pod, time] of Object.entries(budget.status?.disruptedPods ?? {})) {
      const there = pods.find(({ metadata }) => metadata.name === pod);
      if (there !== undefined && there.metadata.deletionTimestamp === undefined) disruptedPods[pod] = time;
    }
    const currentHealthy = pods.filter(
      (pod) =>
        isReady(pod) && pod.metadata.deletionTimestamp === undefined && !(pod.metadata.name in disruptedPods),
    ).length;
    const { minAvailable, maxUnavailable } = budget.spec;
    const desiredHealthy = minAvailable ?? Math.max(0, pods.length - Number(maxUnavailable));
    if (typeof desiredHealthy !== 'number') throw new Error('budgets of tests are counts, not percentages');
    const status = {
      observedGeneration: generation,
      disruptionsAllowed: Math.max(0, currentHealthy - desiredHealthy),
      currentHealthy,
      desiredHealthy,
      expectedPods: pods.length,
      ...(Object.keys(disruptedPods as object).length === 0 ? {} : { disruptedPods }),
    };
    if (isSame(without(budget.status, 'conditions'), status)) continue;
    // Somebody may have evicted meanwhile; it is counted again the next time.
    const path = `/apis/policy/v1/namespaces/${String(namespace)}/poddisruptionbudgets/${String(name)}/status`;
    await cluster.ask('PUT', path, {
      ...budget,
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      status,
    });
  }
}

/** Until it is stopped. */
export function runDisruptionController(cluster: TestCluster): () => Promise<void> {
  let isStopped = cluster.hasControllers;
  const run = async (): Promise<void> => {
    while (!isStopped) {
      await countBudgets(cluster);
      await wait(50);
    }
  };
  const running = run();
  return () => {
    isStopped = true;
    return running;
  };
}

const isSame = (one: Json, other: Json): boolean => {
  const sorted = (value: Json): string => JSON.stringify(Object.entries(value as object).sort());
  return sorted(one) === sorted(other);
};
