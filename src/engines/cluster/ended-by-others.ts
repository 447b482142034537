/** A change that was under way a moment ago, and is not: what became of it, as the node says. */
import type { NodeView } from '#core/cluster/operator/decision';
import type { Limits } from '#core/cluster/operator/limits';
import { nextStep } from '#core/cluster/operator/next-step';
import { endingOf, type ChangeRecord, type readRecord } from '#core/cluster/operator/record';
import type { NodeOutcome, NodeWhy } from './answer.js';

export interface EndedByOthers {
  readonly outcome: NodeOutcome['outcome'];
  readonly why?: NodeWhy;
}

/** `null`: nobody ended it; somebody took the record away. `read`: what stands there instead. */
export function endedByOthers(
  { startedMs }: ChangeRecord,
  read: ReturnType<typeof readRecord>,
  view: NodeView,
  limits: Limits,
): EndedByOthers | null {
  if (read !== null && read !== 'unreadable' && read.phase === 'stuck' && read.startedMs === startedMs) {
    const step = nextStep(read, view, limits);
    if (step.kind === 'end' && step.ending.outcome === 'failed') {
      return { outcome: 'failed', why: step.ending.why };
    }
  }
  const said = endingOf(view.node.annotations, startedMs);
  if (said === null) return null;
  if (said.outcome === 'done') return { outcome: 'done' };
  return { outcome: said.outcome, why: { kind: 'other-run', message: `another run ended it: ${said.why}` } };
}
