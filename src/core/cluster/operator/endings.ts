/** The last edit of a node: given back to the scheduler, or left cordoned with the reason on it. */
import type { ClusterNode } from '../objects.js';
import type { Decision, NodeView } from './decision.js';
import { annotations, notReadyTaintKey, writeRecord, type ChangeRecord } from './record.js';
import type { Trouble } from './troubles.js';

/** All is as it shall be. */
export function finish(record: ChangeRecord, view: NodeView): Decision {
  const why = record.phase === 'restoring' ? record.why : null;
  const outcome = why === null ? 'done' : 'rolled-back';
  return {
    kind: 'edit-node',
    edit: handBack(record, view, outcome, why?.message ?? null),
    says: `${outcome}${record.cordonedByUs ? ', uncordoned' : '; it was cordoned before, and stays so'}`,
    ends: why === null ? { outcome: 'done' } : { outcome: 'rolled-back', why },
  };
}

/** Before mig-manager was told anything: the GPUs are untouched, and as an earlier change left them. */
export function abandon(record: ChangeRecord, view: NodeView, why: Trouble): Decision {
  const { stuckBefore = null } = record;
  if (stuckBefore !== null) {
    const message = `${why.message}; the change before: ${stuckBefore.message}`;
    return leaveCordoned(record, view, { ...why, message });
  }
  return {
    kind: 'edit-node',
    edit: handBack(record, view, 'rolled-back', why.message),
    says: `given up before the GPUs were touched: ${why.message}`,
    ends: { outcome: 'rolled-back', why },
  };
}

/** Nothing more can be done from here: nothing may start on the node until somebody has looked. */
export function leaveCordoned(record: ChangeRecord, view: NodeView, why: Trouble): Decision {
  const before =
    record.phase === 'restoring' && record.why !== null ? `${record.why.message}; taking it back: ` : '';
  const message = `${before}${why.message}`;
  const stuck: ChangeRecord = { ...record, phase: 'stuck', sinceMs: view.nowMs, why: { ...why, message } };
  return {
    kind: 'edit-node',
    edit: {
      ...(view.node.isCordoned ? {} : { cordoned: true }),
      annotations: {
        [annotations.change]: writeRecord(stuck),
        [annotations.reason]: message,
        [annotations.nextStep]: why.next,
        [annotations.last]: lastOf(record, view, 'failed', message),
      },
    },
    says: `left cordoned: ${message}`,
    ends: { outcome: 'failed', why: { ...why, message } },
  };
}

function handBack(record: ChangeRecord, view: NodeView, outcome: string, why: string | null) {
  const taints = view.node.taints.filter(({ key }) => key === notReadyTaintKey);
  return {
    ...(record.cordonedByUs && view.node.isCordoned ? { cordoned: false } : {}),
    ...(outcome === 'done' && taints.length > 0
      ? { removeTaints: taints.map(({ key, effect }) => ({ key, effect })) }
      : {}),
    annotations: {
      [annotations.change]: null,
      ...absent(view.node, annotations.reason),
      ...absent(view.node, annotations.nextStep),
      [annotations.last]: lastOf(record, view, outcome, why),
    },
  };
}

function absent(node: ClusterNode, key: string): Readonly<Record<string, null>> {
  return node.annotations[key] === undefined ? {} : { [key]: null };
}

function lastOf(record: ChangeRecord, view: NodeView, outcome: string, why: string | null): string {
  const { startedMs, goal } = record;
  return JSON.stringify({
    outcome,
    config: goal.config,
    startedMs,
    endedMs: view.nowMs,
    ...(why !== null && { why }),
  });
}
