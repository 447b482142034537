/** GPU nodes are tainted where others must keep off; the cluster tolerates for pods only the taint that it knows. */
import type { Rules } from '../rule.js';
import { asksOf, isMap, migSizeOf, type Json } from '../pod-specs.js';

const taint = 'nvidia.com/gpu';

export const tolerations: Rules = {
  pod: (pod, { target }) => {
    if (target === 'gke') return [];
    const slice = asksOf(pod).find(({ resource }) => migSizeOf(resource) !== null);
    if (slice === undefined || tolerates(pod.spec)) return [];
    const path = [...pod.path, 'tolerations'];
    return [
      {
        ...{ rule: 'toleration', severity: 'warning', path: slice.path },
        message:
          `nodes with the taint ${taint}:NoSchedule keep it out: the admission controller adds a toleration for ` +
          `the resource ${taint} alone, not for ${slice.resource}`,
        fix: `tolerate ${taint}, or leave GPU nodes without the taint`,
        edits: [{ kind: 'append', path, value: { key: taint, operator: 'Exists', effect: 'NoSchedule' } }],
      },
    ];
  },
};

function tolerates(spec: Json): boolean {
  const list = Array.isArray(spec['tolerations']) ? (spec['tolerations'] as readonly unknown[]) : [];
  return list.some((one) => {
    if (!isMap(one)) return false;
    const { key, effect } = one;
    const isFor = key === taint || ((key === undefined || key === '') && one['operator'] === 'Exists');
    return isFor && (effect === undefined || effect === '' || effect === 'NoSchedule');
  });
}
