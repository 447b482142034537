/** What the admission plugins that are always on change of an object that is made. */
import type { Json } from './json.js';
import type { Resource } from './resources.js';

const notReady = 'node.kubernetes.io/not-ready';
const unreachable = 'node.kubernetes.io/unreachable';

/** Changes the object in place. */
export function admitted({ kind, custom }: Resource, { spec }: Json): void {
  if (custom !== undefined || spec === undefined) return;
  // Until its kubelet says otherwise nothing is to be placed there; whoever watches nodes takes it back.
  if (kind === 'Node') {
    const isThere = spec.taints?.some(({ key }: Json) => key === notReady) === true;
    if (!isThere) spec.taints = [...(spec.taints ?? []), { key: notReady, effect: 'NoSchedule' }];
  }
  if (kind === 'Pod') {
    if (spec.priorityClassName === undefined) spec.priority ??= 0;
    for (const key of [notReady, unreachable]) {
      const tolerated = (spec.tolerations ?? []).some(
        (one: Json) =>
          (one.key === undefined || one.key === key) &&
          (one.effect === undefined || one.effect === 'NoExecute'),
      );
      if (tolerated) continue;
      const toleration = { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 };
      spec.tolerations = [...(spec.tolerations ?? []), toleration];
    }
  }
}
