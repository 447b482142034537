/** An observation in, the audit's answer out: every workload judged, the fleet packed anew, and what that saves. */
import type { Solve } from '#core/packing/linear-program';
import type { Observation } from '../observe/observation.js';
import type { AuditAnswer, AuditTotals, Verdict } from './answer.js';
import type { Assessment } from './assess.js';
import { savingsOf } from './count-cards.js';
import { cardsBefore, grouped } from './draw.js';
import { headlineOf } from './headline.js';
import { isolationFor } from './isolation.js';
import { isoTime } from './iso-time.js';
import { notesOf } from './notes.js';
import type { AuditOptions } from './options.js';
import { repack } from './repack.js';
import { scoreOf } from './score.js';
import { surveyOf } from './survey.js';

export type { AuditOptions } from './options.js';

/** The order of workloads and GPUs in the observation does not matter. Throws MicaError `solver-failed`. */
export function auditObservation(observation: Observation, options: AuditOptions, solve: Solve): AuditAnswer {
  const { setting, all, together, atMs, stock, usual, demands } = surveyOf(observation, options);
  const repacked = repack(demands, stock, usual, setting, solve);
  const savings = savingsOf(stock, repacked.cards, setting);
  const isEstimate = [...savings.byModel.now, ...savings.byModel.after].some(
    ({ model }) => setting.prices.of(model)?.estimate === true,
  );
  const totals: AuditTotals = {
    workloads: all.length,
    verdicts: countVerdicts(all),
    ...savings,
    ...scoreOf(
      stock,
      together.map(({ cost }) => cost),
      setting.prices,
    ),
    headline: headlineOf(all, savings, usual, isEstimate, setting),
  };
  return {
    schema: 'mica/audit@1',
    source: observation.source,
    window: { start: isoTime(observation.window.startMs), end: isoTime(observation.window.endMs) },
    strategy: setting.strategy,
    headroom: setting.sizing.headroom,
    workloads: all.map(({ judged, cost: { cardShare, usdPerMonth } }) => {
      return { ...judged, cardShare, usdPerMonth };
    }),
    totals,
    isolation: isolationFor(all),
    before: grouped(cardsBefore(observation.gpus, atMs, together, usual)),
    after: grouped(repacked.cards),
    dropped: observation.dropped,
    notes: notesOf({ observation, assessments: all, together, stock, repacked, setting }),
  };
}

function countVerdicts(assessments: readonly Assessment[]): Readonly<Record<Verdict, number>> {
  const counts = { slice: 0, 'whole-gpu': 0, share: 0, 'no-gpu': 0, unknown: 0 };
  for (const { judged } of assessments) counts[judged.verdict] += 1;
  return counts;
}
