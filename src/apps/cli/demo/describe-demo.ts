/** The demo's numbers side by side, and why they are what they are. */
import type { PlanCost } from '#core/plan/plan';
import { usdPerMonth } from '#core/cost/slice-cost';
import { formatUsd } from '#core/units';
import type { DemoResult } from './demo-result.js';
import type { Screen } from '../terminal/screen.js';
import { tableOf, type Column } from '../terminal/table.js';
import { isBelowOneGpu } from './scenarios.js';

const columns: readonly Column[] = [
  { head: 'demand' },
  { head: 'cards' },
  { head: 'whole', align: 'right' },
  { head: 'time-sliced', align: 'right' },
  { head: 'MIG', align: 'right' },
  { head: 'saved', align: 'right' },
  { head: 'whole, a month', align: 'right' },
  { head: 'MIG, a month', align: 'right' },
  { head: 'least money' },
];

export function describeComparison(screen: Screen, results: readonly DemoResult[]): string {
  const rows = results.map(({ scenario, plan }): readonly string[] => {
    const { wholeGpus, timeSliced } = plan.alternatives;
    const { usdPerHour } = plan.cost;
    const bound = plan.proof.kind === 'prices' ? plan.proof.lowerBound : 0;
    return [
      scenario.title,
      scenario.cards,
      String(wholeGpus.gpus),
      `${timeSliced.gpus} *`,
      String(plan.gpus),
      percentSaved(wholeGpus.gpus, plan.gpus),
      monthly(wholeGpus.cost),
      monthly(plan.cost),
      usdPerHour !== null && usdPerHour - bound < 1e-6 ? 'proven' : `above ${formatUsd(bound)}/h`,
    ];
  });
  return [
    screen.style.bold('A production trace, all pods at once: Alibaba openb. GPUs and money, three ways'),
    tableOf(screen, columns, rows),
    '* no isolation: one process can take the memory of all, and a crash or a heavy kernel hits every neighbour',
  ].join('\n');
}

/** In words, from the numbers of this run. */
export function describeWhy({ inputs, plan, scenario }: DemoResult, all: readonly DemoResult[]): string {
  const small = inputs.needs.filter(isBelowOneGpu).reduce((sum, { count }) => sum + count, 0);
  const pods = inputs.needs.reduce((sum, { count }) => sum + count, 0);
  const wholeCards = inputs.needs.reduce(
    (sum, need) => sum + (isBelowOneGpu(need) ? 0 : need.count * need.gpus),
    0,
  );
  const alone = all.find((other) => other.scenario.cards === scenario.cards && other !== all[0]);
  const saved = percentSaved(plan.alternatives.wholeGpus.gpus, plan.gpus);
  const lines = [
    `Why ${saved} and not more: ${pods - small} of the ${pods} pods ask for one or more whole GPUs. They take ${wholeCards} cards, and no cut helps them.`,
    ...(alone === undefined
      ? []
      : [
          `The ${small} pods below one GPU need ${alone.plan.alternatives.wholeGpus.gpus} cards whole and ${alone.plan.gpus} cut: there MIG saves ${percentSaved(alone.plan.alternatives.wholeGpus.gpus, alone.plan.gpus)}.`,
          `Time-slicing would take ${alone.plan.alternatives.timeSliced.gpus}, since it need not round a share up to slices; it isolates nothing.`,
        ]),
    // The plan's notes begin with those of its inputs.
    ...plan.notes,
  ];
  return lines.join('\n');
}

function percentSaved(before: number, after: number): string {
  return before === 0 ? '0%' : `${(100 * (1 - after / before)).toFixed(1)}%`;
}

function monthly({ usdPerHour, estimated }: PlanCost): string {
  if (usdPerHour === null) return 'not known';
  return `${estimated ? 'about ' : ''}${formatUsd(usdPerMonth(usdPerHour) / 1e6)} million`;
}
