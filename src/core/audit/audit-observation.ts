/** An observation in, the audit's answer out: every workload judged, the fleet packed anew, and what that saves. */
import type { Solve } from '#core/packing/linear-program';
import type { Observation, ObservedWorkload } from '../observe/observation.js';
import type { AuditAnswer, AuditTotals, Verdict } from './answer.js';
import { assess, type Assessment } from './assess.js';
import { savingsOf } from './count-cards.js';
import { busiestMs, runsAt } from './busiest.js';
import { cardsBefore, grouped } from './draw.js';
import { headlineOf } from './headline.js';
import { isolationFor } from './isolation.js';
import { isoTime } from './iso-time.js';
import { notesOf } from './notes.js';
import { settingOf, type AuditOptions } from './options.js';
import { repack } from './repack.js';
import { scoreOf } from './score.js';
import { stockOf, usualCard } from './stock.js';
import { costOf, needed, type WorkloadCost } from './workload-cost.js';

export type { AuditOptions } from './options.js';

/** The order of workloads and GPUs in the observation does not matter. Throws MicaError `solver-failed`. */
export function auditObservation(observation: Observation, options: AuditOptions, solve: Solve): AuditAnswer {
  const setting = settingOf(options);
  const assessments = observation.workloads.toSorted(byName).map((one) => assess(one, setting));
  const stock = stockOf(observation, assessments, setting);
  const usual = usualCard(assessments, setting);
  const costed = assessments.map((one) => ({ ...one, cost: costOf(one, usual, setting) }));
  const together = stock.assumed ? costed : atBusiest(costed);
  const repacked = repack(together, stock, setting, solve);
  const savings = savingsOf(stock, repacked.cards, setting);
  const isEstimate = [...savings.byModel.now, ...savings.byModel.after].some(
    ({ model }) => setting.prices.of(model)?.estimate === true,
  );
  const totals: AuditTotals = {
    workloads: assessments.length,
    verdicts: countVerdicts(assessments),
    ...savings,
    ...scoreOf(
      stock,
      together.map(({ cost }) => cost),
      setting.prices,
    ),
    headline: headlineOf(assessments, savings, usual, isEstimate, setting),
  };
  return {
    schema: 'mica/audit@1',
    source: observation.source,
    window: { start: isoTime(observation.window.startMs), end: isoTime(observation.window.endMs) },
    strategy: setting.strategy,
    headroom: setting.sizing.headroom,
    workloads: costed.map(({ judged, cost: { cardShare, usdPerMonth } }) => {
      return { ...judged, cardShare, usdPerMonth };
    }),
    totals,
    isolation: isolationFor(assessments),
    before: grouped(cardsBefore(observation, together, usual)),
    after: grouped(repacked.cards),
    dropped: observation.dropped,
    notes: notesOf({ observation, assessments, together, stock, repacked, setting }),
  };
}

type Costed = Assessment & { readonly cost: WorkloadCost };

/** Those that run at the moment when all of them together need the most of the cards. */
function atBusiest(costed: readonly Costed[]): readonly Costed[] {
  const atMs = busiestMs(costed.map(({ runs, cost }) => ({ ...runs, weight: needed(cost) })));
  return atMs === null ? [] : costed.filter(({ runs }) => runsAt(runs, atMs));
}

function byName(a: ObservedWorkload, b: ObservedWorkload): number {
  const [x, y] = [a, b].map(({ namespace, workload, owner }) => [
    namespace ?? '',
    workload,
    owner?.kind ?? '',
    owner?.name ?? '',
  ]);
  for (const [index, part] of (x ?? []).entries()) {
    const other = y?.[index] ?? '';
    if (part !== other) return part < other ? -1 : 1;
  }
  return 0;
}

function countVerdicts(assessments: readonly Assessment[]): Readonly<Record<Verdict, number>> {
  const counts = { slice: 0, 'whole-gpu': 0, share: 0, 'no-gpu': 0, unknown: 0 };
  for (const { judged } of assessments) counts[judged.verdict] += 1;
  return counts;
}
