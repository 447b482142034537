/** Numbers of what policies say of themselves. */
import type { PolicyStatus } from '#core/cluster/policy/mig-policy';
import type { PolicyFigures } from './news.js';

export function figuresOf(statuses: ReadonlyMap<string, PolicyStatus>): readonly PolicyFigures[] {
  return [...statuses].map(([policy, { nodes, waitingPods, stuckNodes }]) => ({
    ...{ policy, nodes, waitingPods, stuckNodes },
  }));
}
