/** One decision about a node, carried out: the calls that change something in the cluster are all here. */
import { unreachable } from '#core/errors';
import type { Decision } from '#core/cluster/operator/decision';
import type { ChangeRecord } from '#core/cluster/operator/record';
import type { ClusterNode } from '#core/cluster/objects';
import type { ApiRefusal } from '#ports/cluster-api';
import type { ConfigBook } from './config-book.js';
import type { NodeMemory } from './memory.js';
import type { ClusterPorts } from './ports.js';

export type Step = Exclude<Decision, { readonly kind: 'wait' | 'end' }>;

export interface StepPlace {
  readonly node: ClusterNode;
  readonly record: ChangeRecord | null;
  readonly book: ConfigBook;
  readonly memory: NodeMemory;
}

/** `null`: it was done, or is not needed any more. */
export async function takeStep(
  { api, clock }: ClusterPorts,
  step: Step,
  { node, record, book, memory }: StepPlace,
): Promise<ApiRefusal | null> {
  switch (step.kind) {
    case 'edit-node': {
      const { ok, why } = plain(await api.patchNode(node.name, step.edit, node.resourceVersion));
      return ok ? null : why;
    }
    case 'write-config': {
      if (record === null) return null;
      const { ok, why } = plain(await book.write(record.goal.config, record.goal.entries));
      return ok ? null : why;
    }
    case 'evict': {
      const { ok, why } = plain(await api.evict(step.pod, null));
      memory.answered(step.pod, ok ? null : why, clock.nowMs());
      return ok || why?.kind !== 'forbidden' ? null : why;
    }
    case 'delete-pod': {
      const { ok, why } = plain(await api.deletePod(step.pod));
      return ok || why?.kind === 'gone' ? null : why;
    }
    default:
      return unreachable(step);
  }
}

/** What the user's role lacks, where the server forbids a step. */
export function permissionFor(step: Step['kind'], namespace: string): string {
  switch (step) {
    case 'edit-node':
      return 'patch nodes';
    case 'write-config':
      return `get and patch configmaps in ${namespace}`;
    case 'evict':
      return 'create pods/eviction';
    case 'delete-pod':
      return `delete pods in ${namespace}`;
    default:
      return unreachable(step);
  }
}

function plain(answer: { readonly ok: true } | { readonly ok: false; readonly why: ApiRefusal }): {
  readonly ok: boolean;
  readonly why: ApiRefusal | null;
} {
  return answer.ok ? { ok: true, why: null } : answer;
}
