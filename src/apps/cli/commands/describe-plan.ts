/** A plan on a screen: beside whole and time-sliced GPUs, with its slices, what has no place, and the proof. */
import type { Fleet, Need } from '#core/plan/documents';
import type { Alternative, Plan, PlanCost } from '#core/plan/plan';
import { formatUsd } from '#core/units';
import { drawEachGpu, drawLayouts } from '../draw/plan.js';
import type { Screen } from '../terminal/screen.js';
import { tableOf, type Column } from '../terminal/table.js';
import { describeProof } from './describe-proof.js';

/** With `all`, every GPU is drawn; else the layouts of a large plan stand for it. */
export function describePlan(
  screen: Screen,
  plan: Plan,
  { fleet, needs }: { readonly fleet: Fleet; readonly needs: readonly Need[] },
  all = false,
): string {
  const sections = [
    headline(screen, plan, needs),
    comparison(screen, plan),
    machines(plan),
    slices(screen, plan, fleet, all),
    unplaced(screen, plan),
    steps(plan),
    [...plan.notes.map((note) => `note: ${note}`), `${describeProof(plan.proof)}${standing(plan)}`].join(
      '\n',
    ),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function headline({ style }: Screen, plan: Plan, needs: readonly Need[]): string {
  const replicas = needs.reduce((sum, { count }) => sum + count, 0);
  const percent = Math.round(plan.headroom * 1000) / 10;
  const margin = needs.some(({ memoryMiB }) => memoryMiB !== undefined)
    ? `, with ${percent}% memory headroom`
    : '';
  const placed = replicas - plan.unplaced.reduce((sum, { count }) => sum + count, 0);
  const what = placed === replicas ? `all ${replicas} replicas` : `${placed} of ${replicas} replicas`;
  return style.bold(`${plan.gpus} GPUs for ${what} of ${needs.length} needs${margin}`);
}

/** Where the plan stands against its bound. */
function standing({ proof, proven }: Plan): string {
  if (proof.kind !== 'prices') return '';
  return proven
    ? '; this one does exactly that'
    : '; this plan is above that, and by the solver, at a gap of 0, the best there is';
}

const columns: readonly Column[] = [
  { head: '' },
  { head: 'GPUs', align: 'right' },
  { head: 'cost', align: 'right' },
  { head: 'left out', align: 'right' },
  { head: 'against whole', align: 'right' },
];

/** The same needs three ways; what each way lacks stands below, since the numbers alone would mislead. */
function comparison(screen: Screen, plan: Plan): string {
  const { wholeGpus, timeSliced } = plan.alternatives;
  const ways = { 'whole GPUs': wholeGpus, 'time-sliced': timeSliced, 'MIG slices': asAlternative(plan) };
  const rows = Object.entries(ways).map(([name, way]) => [
    name,
    String(way.gpus),
    describeCost(way.cost),
    way.unplaced === 0 ? '' : String(way.unplaced),
    way === wholeGpus ? '' : against(wholeGpus, way),
  ]);
  const notes = Object.entries(ways).map(([name, { note }]) => `${name}: ${note}`);
  return [tableOf(screen, columns, rows), ...notes].join('\n');
}

/** The plan itself, to stand beside the other ways. */
function asAlternative({ gpus, cost, unplaced: left }: Plan): Alternative {
  const note = 'memory, faults and speed are isolated in hardware';
  return { gpus, cost, unplaced: left.reduce((sum, { count }) => sum + count, 0), note };
}

/** In money where both sums are known, else in GPUs; nothing where the two do not serve the same. */
function against(whole: Alternative, way: Alternative): string {
  if (way.unplaced !== whole.unplaced) return '';
  const [before, after] =
    whole.cost.usdPerHour !== null && way.cost.usdPerHour !== null
      ? [whole.cost.usdPerHour, way.cost.usdPerHour]
      : [whole.gpus, way.gpus];
  if (before === 0) return '';
  const percent = (100 * (after - before)) / before;
  return `${percent > 0 ? '+' : ''}${percent.toFixed(1)}%`;
}

function describeCost({ usdPerHour, estimated }: PlanCost): string {
  if (usdPerHour === null) return 'not known';
  return `${estimated ? 'about ' : ''}${formatUsd(usdPerHour)}/h`;
}

function machines({ machines: rented }: Plan): string {
  return rented
    .map(({ machineType, count, gpusEach, usdPerHour }) => {
      const price = usdPerHour === null ? 'price not known' : `${formatUsd(usdPerHour)}/h each`;
      return `rent ${count} x ${machineType} (${gpusEach} ${gpusEach === 1 ? 'GPU' : 'GPUs'}, ${price})`;
    })
    .join('\n');
}

/** As many lines as fit on a screen beside the rest. */
const mostLines = 16;

function slices(screen: Screen, plan: Plan, fleet: Fleet, all: boolean): string {
  if (all || plan.layouts.length <= mostLines) return drawEachGpu(plan, fleet, screen.columns);
  const { text, gpusLeft, layoutsLeft } = drawLayouts(plan, screen.columns, mostLines);
  if (gpusLeft === 0) return text;
  return `${text}\nand ${gpusLeft} GPUs in ${layoutsLeft} other layouts; --all draws every GPU`;
}

function unplaced({ style }: Screen, { unplaced: left }: Plan): string {
  const lines = left
    .slice(0, mostLines)
    .map(({ need, count, why }) => `${style.red('no place')} for ${count} x ${need}: ${why}`);
  return [...lines, ...(left.length > mostLines ? [`and ${left.length - mostLines} needs more`] : [])].join(
    '\n',
  );
}

function steps({ steps: all }: Plan): string {
  const counts = new Map<string, number>();
  for (const { kind } of all) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const parts = [...counts].map(([kind, count]) => `${count} x ${kind}`);
  return parts.length === 0 ? 'nothing to change' : `to change: ${parts.join(', ')} (--json lists the steps)`;
}
