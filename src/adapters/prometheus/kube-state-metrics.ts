/** Who made a pod, as kube-state-metrics told Prometheus while the pod was there: pods that are gone are known too. */
import type { Owner } from '#core/observe/observation';
import type { OwnerOf, PodName, PodOwners } from '#ports/pod-owners';
import type { Labels, PrometheusClient } from './client.js';
import type { Window } from './inventory.js';
import { inGroups, inParallel } from './pool.js';
import { over, selector } from './promql.js';

interface Made {
  readonly kind: string;
  readonly name: string;
}

/** Names of one question; they are pods, ReplicaSets and Jobs, so that a few thousand would be a long text. */
const mostNames = 500;
const ofPods = 'kube_pod_owner';
/** Owners that have an owner themselves; the label is the one that names them. */
const between = [
  { kind: 'ReplicaSet', metric: 'kube_replicaset_owner', label: 'replicaset' },
  { kind: 'Job', metric: 'kube_job_owner', label: 'job_name' },
] as const;

export function kubeStateMetricsOwners(client: PrometheusClient, window: Window, atOnce: number): PodOwners {
  const rangeMs = window.endMs - window.startMs;
  const ownersIn = async (
    metric: string,
    label: string,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Made>> => {
    const owners = new Map<string, Made>();
    // Where kube-state-metrics is scraped without honorLabels, its own labels are the exported ones.
    for (const prefix of ['', 'exported_']) {
      const groups = inGroups(names, { size: mostNames, items: mostNames }, () => 1);
      await inParallel(groups, atOnce, signal, async (group, one) => {
        const select = selector([metric], [{ label: `${prefix}${label}`, values: group }]);
        const answer = await client.points(`last_over_time(${over(select, rangeMs)})`, window.endMs, one);
        if (!answer.ok) return;
        for (const { labels } of answer.value) {
          const made = madeBy(labels);
          const name = labels[`${prefix}${label}`];
          const namespace = labels[`${prefix}namespace`] ?? labels['namespace'] ?? '';
          if (made !== null && name !== undefined) owners.set(keyOf(namespace, name), made);
        }
      });
      if (owners.size > 0) break;
    }
    return owners;
  };

  return {
    ownersOf: async (pods, signal): Promise<OwnerOf> => {
      if (pods.length === 0) return () => null;
      const asked = new Set(pods.map(({ namespace, pod }) => keyOf(namespace, pod)));
      const direct = await ownersIn(ofPods, 'pod', [...new Set(pods.map(({ pod }) => pod))], signal);
      const upper = new Map<string, ReadonlyMap<string, Made>>();
      for (const { kind, metric, label } of between) {
        const names = [...direct].filter(([key, made]) => asked.has(key) && made.kind === kind);
        if (names.length === 0) continue;
        upper.set(
          kind,
          await ownersIn(metric, label, [...new Set(names.map(([, { name }]) => name))], signal),
        );
      }
      return ({ namespace, pod }: PodName): Owner | null => {
        const made = direct.get(keyOf(namespace, pod));
        if (made === undefined) return null;
        const above = upper.get(made.kind)?.get(keyOf(namespace, made.name));
        return { ...(above ?? made), via: 'kube-state-metrics' };
      };
    },
  };
}

/** `<none>` is how kube-state-metrics spells that there is no owner. */
function madeBy(labels: Labels): Made | null {
  const { owner_kind: kind = '', owner_name: name = '' } = labels;
  return kind === '' || name === '' || kind === '<none>' || name === '<none>' ? null : { kind, name };
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
