/** What to do next about a node whose GPUs change, from what stands on it: whoever asks again gets it to an end. */
import { unreachable } from '../../errors.js';
import { clearNode } from './clear-node.js';
import { cutNode } from './cut-node.js';
import type { Decision, NodeView } from './decision.js';
import { leaveCordoned } from './endings.js';
import type { Limits } from './limits.js';
import { annotations, writeRecord, type ChangeRecord } from './record.js';
import { trouble } from './troubles.js';

/** Says that the node is meant, and touches nothing: whoever else would take a node out of service sees it. */
export function claim(record: ChangeRecord): Extract<Decision, { readonly kind: 'edit-node' }> {
  const claimed: ChangeRecord = { ...record, phase: 'claimed' };
  return {
    kind: 'edit-node',
    edit: { annotations: { [annotations.change]: writeRecord(claimed) } },
    says: 'claimed',
  };
}

/** The first edit that takes it out of service: cordoned and written down at once, so that nobody else can have begun too. */
export function begin(
  record: ChangeRecord,
  view: Pick<NodeView, 'node'>,
): Extract<Decision, { readonly kind: 'edit-node' }> {
  return {
    kind: 'edit-node',
    edit: {
      ...(view.node.isCordoned ? {} : { cordoned: true }),
      annotations: { [annotations.change]: writeRecord(record) },
    },
    says: view.node.isCordoned ? 'begun; it is cordoned already' : 'begun, cordoned',
    begins: true,
  };
}

export function nextStep(
  record: ChangeRecord,
  view: NodeView,
  limits: Limits,
  deadlineMs = Infinity,
): Decision {
  switch (record.phase) {
    case 'claimed': {
      const cordonedByUs = !view.node.isCordoned;
      const begun: ChangeRecord = { ...record, phase: 'clearing', cordonedByUs, sinceMs: view.nowMs };
      return begin(begun, view);
    }
    case 'clearing':
      return clearNode(record, view, limits, deadlineMs);
    case 'cutting':
      return cutNode(record, record.goal, view, limits);
    case 'restoring':
      if (record.previous === null) {
        const why = trouble('failed', view.node.name, 'there is no earlier configuration to go back to');
        return leaveCordoned(record, view, why);
      }
      return cutNode(record, record.previous, view, limits);
    case 'stuck': {
      const unknown = trouble('failed', view.node.name, 'an earlier change did not come to its end');
      return { kind: 'end', ending: { outcome: 'failed', why: record.why ?? unknown } };
    }
    default:
      return unreachable(record.phase);
  }
}
