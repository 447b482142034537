/** The status of PodDisruptionBudgets, counted from pods as the disruption controller counts. */
import { equal, without, type Json } from './json.js';
import type { Registry } from './registry.js';
import { selects } from './selectors.js';
import { keyOf, unversioned } from './store.js';

const budgetsAt = 'poddisruptionbudgets.policy';
const podsAt = 'pods.';
const scaled: Readonly<Record<string, string>> = {
  ReplicaSet: 'replicasets.apps',
  StatefulSet: 'statefulsets.apps',
  Deployment: 'deployments.apps',
};

export class Budgets {
  private readonly registry: Registry;
  private readonly stale = new Set<string>();

  constructor(registry: Registry) {
    this.registry = registry;
    registry.store.onChange((where, { last, before, now }) => {
      const isBudget = where === budgetsAt && !equal(before?.object.spec, now?.object.spec);
      if (where !== podsAt && !isBudget && !Object.values(scaled).includes(where)) return;
      const { namespace } = last.object.metadata;
      if (this.stale.has(namespace)) return;
      this.stale.add(namespace);
      setImmediate(() => this.refresh(namespace));
    });
  }

  /** Counts again where pods or budgets changed since. */
  refresh(namespace: string): void {
    if (!this.stale.delete(namespace)) return;
    const { store } = this.registry;
    const budgets = store.of(budgetsAt);
    for (const key of budgets.keys(`${namespace}/`)) {
      const { object } = budgets.items.get(key)!;
      const status = this.count(object);
      if (equal(without(object.status, 'conditions'), status)) continue;
      const allowed = status.disruptionsAllowed > 0;
      const condition = {
        type: 'DisruptionAllowed',
        status: allowed ? 'True' : 'False',
        reason: allowed ? 'SufficientPods' : 'InsufficientPods',
        message: '',
        lastTransitionTime: this.registry.time(),
        observedGeneration: object.metadata.generation,
      };
      store.commit(budgetsAt, key, {
        ...unversioned(object),
        status: { ...status, conditions: [condition] },
      });
    }
  }

  /** Budgets that select this pod. */
  of(pod: Json): readonly Json[] {
    const budgets = this.registry.store.of(budgetsAt);
    return budgets
      .keys(`${String(pod.metadata.namespace)}/`)
      .map((key) => budgets.items.get(key)!.object)
      .filter(({ spec }) => selects(spec?.selector, pod.metadata.labels));
  }

  private count({ metadata, spec = {} }: Json): Json {
    const collection = this.registry.store.of(podsAt);
    const pods: readonly Json[] = collection
      .keys(`${String(metadata.namespace)}/`)
      .map((key) => collection.items.get(key)!.object)
      .filter((pod) => selects(spec.selector, pod.metadata.labels) && !isTerminal(pod));
    const currentHealthy = pods.filter(
      (pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined,
    ).length;
    const { expectedPods, desiredHealthy } = this.wanted(spec, pods, metadata.namespace);
    return {
      observedGeneration: metadata.generation,
      disruptionsAllowed: expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0,
      currentHealthy,
      desiredHealthy,
      expectedPods,
    };
  }

  private wanted(
    spec: Json,
    pods: readonly Json[],
    namespace: string,
  ): { expectedPods: number; desiredHealthy: number } {
    if (spec.maxUnavailable !== undefined) {
      const expectedPods = this.scale(pods, namespace);
      return {
        expectedPods,
        desiredHealthy: Math.max(0, expectedPods - share(spec.maxUnavailable, expectedPods)),
      };
    }
    const wanted = spec.minAvailable ?? 1;
    const expectedPods = typeof wanted === 'number' ? pods.length : this.scale(pods, namespace);
    return { expectedPods, desiredHealthy: share(wanted, expectedPods) };
  }

  /** How many pods their controllers want; pods that nobody controls do not count. */
  private scale(pods: readonly Json[], namespace: string): number {
    const sizes = new Map<string, number>();
    for (const pod of pods) {
      const owner = pod.metadata.ownerReferences?.find((one: Json) => one.controller === true);
      if (owner === undefined || sizes.has(owner.uid)) continue;
      const found = this.registry.store.of(scaled[owner.kind] ?? '').items.get(keyOf(namespace, owner.name));
      sizes.set(owner.uid, found?.object.spec?.replicas ?? 0);
    }
    return [...sizes.values()].reduce((sum, size) => sum + size, 0);
  }
}

export const isTerminal = (pod: Json): boolean => ['Succeeded', 'Failed'].includes(pod.status?.phase);

export const isReady = (pod: Json): boolean =>
  pod.status?.conditions?.some((one: Json) => one.type === 'Ready' && one.status === 'True') === true;

/** `2` or `50%` of a count, rounded up. */
function share(value: number | string, of: number): number {
  return typeof value === 'number' ? value : Math.ceil((of * Number.parseInt(value)) / 100);
}
