/** The audit as one verb: look at what a source has to say, size every workload, plan them anew, count what that saves. */
import type { AuditAnswer } from '#core/audit/answer';
import { auditObservation, type AuditOptions } from '#core/audit/audit-observation';
import type { Observation } from '#core/observe/observation';
import type { Solve } from '#core/packing/linear-program';
import type { MetricsSource, ObserveRequest } from '#ports/metrics-source';

export interface Audited {
  readonly observation: Observation;
  readonly answer: AuditAnswer;
}

/** Throws MicaError where the source cannot be read at all. */
export async function audit(
  source: MetricsSource,
  request: ObserveRequest,
  options: AuditOptions,
  solve: Solve,
): Promise<Audited> {
  const observation = await source.observe(request);
  request.progress({ what: `sizing ${observation.workloads.length} workloads`, part: null });
  return { observation, answer: auditObservation(observation, options, solve) };
}
