/** Every workload judged, what it costs, the cards that there are, and who asks for which place: all but the packing. */
import type { Observation, ObservedWorkload } from '../observe/observation.js';
import { assess, type Assessment } from './assess.js';
import { busiestMs, runsAt } from './busiest.js';
import { spansOf } from './held.js';
import { demandsOf, type Demands } from './demand.js';
import { settingOf, type AuditOptions, type AuditSetting } from './options.js';
import { stockOf, usualCard, type Stock } from './stock.js';
import { costOf, needed, type WorkloadCost } from './workload-cost.js';

export type Costed = Assessment & { readonly cost: WorkloadCost };

export interface Survey {
  readonly setting: AuditSetting;
  /** By name. */
  readonly all: readonly Costed[];
  /** Those that run when all of them together need the most of the cards: the totals are for them. */
  readonly together: readonly Costed[];
  /** When that is; `null`: nothing ran. */
  readonly atMs: number | null;
  readonly stock: Stock;
  /** The card that is counted where none was seen. */
  readonly usual: string | null;
  readonly demands: Demands;
}

export function surveyOf(observation: Observation, options: AuditOptions): Survey {
  const setting = settingOf(options);
  const assessments = observation.workloads.toSorted(byName).map((one) => assess(one, setting));
  const stock = stockOf(observation, assessments, setting);
  const usual = usualCard(assessments, setting);
  const all = assessments.map((one) => ({ ...one, cost: costOf(one, usual, setting) }));
  const spans = spansOf(observation);
  const atMs = busiestMs(all.map(({ observed, cost }) => ({ spans: spans(observed), weight: needed(cost) })));
  const isThere = ({ observed }: Costed): boolean => atMs === null || runsAt(spans(observed), atMs);
  const together = stock.assumed ? all : all.filter(isThere);
  const moment = atMs === null ? null : { gpus: observation.gpus, atMs };
  const demands = demandsOf(together, stock, moment, setting);
  return { setting, all, together, atMs, stock, usual, demands };
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
