/** A plan for a cluster on a screen: one sentence, then nodes before and after, pods that move, pools, money. */
import type { ClusterPlan, NodeChange, PoolChange, SliceCounts } from '#core/cluster/planning/answer';
import { modelByKey } from '#core/catalogue/catalogue';
import { shortName } from '#core/catalogue/short-name';
import type { PlanCost } from '#core/plan/plan';
import { formatUsd } from '#core/units';
import { drawEachGpu } from '../../draw/plan.js';
import { wrapped } from '../../draw/wrapped.js';
import { printable, type Screen } from '../../terminal/screen.js';
import { tableOf, type Column } from '../../terminal/table.js';

const mostRows = 12;
const mostDrawn = 8;

export function describeClusterPlan(screen: Screen, plan: ClusterPlan, all: boolean): string {
  const sections = [
    screen.style.bold(wrapped(plan.summary, screen.columns)),
    nodesInWords(screen, plan, all),
    poolsInWords(screen, plan.pools),
    movesInWords(screen, plan, all),
    requestsInWords(screen, plan),
    seatsInWords(screen, plan, all),
    moneyInWords(plan),
    idleInWords(screen, plan, all),
    plan.notes.map((note) => wrapped(`note: ${printable(note)}`, screen.columns, '  ')).join('\n'),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

/** Nodes of one kind that change in the same way stand together; a few are drawn GPU by GPU. */
function nodesInWords(screen: Screen, { nodes, plan }: ClusterPlan, all: boolean): string {
  if (nodes.length === 0 || plan === null) return '';
  const groups = new Map<string, NodeChange[]>();
  for (const change of nodes) {
    const key = JSON.stringify([change.model, change.pool, inWords(change.before), inWords(change.after)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [change]);
    else group.push(change);
  }
  const shown = [...groups.values()].slice(0, all ? undefined : mostRows);
  const lines = shown.flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const model = modelByKey(first.model);
    const card = `${first.gpus} x ${model === undefined ? first.model : shortName(model)}`;
    const name = group.length === 1 ? first.node : `${group.length} nodes (${first.node}, …)`;
    const head = [printable(name), card, ...(first.pool === null ? [] : [`pool ${printable(first.pool)}`])];
    return [head.join(' · '), `  before  ${inWords(first.before)}`, `  after   ${inWords(first.after)}`];
  });
  const left = groups.size - shown.length;
  const rest = left === 0 ? [] : [`and ${left} changes of other kinds; --all shows them`];
  const isFew = plan.layouts.length <= mostDrawn || all;
  const drawing = isFew ? ['', drawEachGpu(plan, { nodes: [], rent: [] }, screen.columns)] : [];
  return [screen.style.bold('Nodes that are cut anew'), ...lines, ...rest, ...drawing].join('\n');
}

function inWords(counts: SliceCounts): string {
  const parts = Object.entries(counts).map(
    ([slot, count]) => `${count} x ${slot === 'whole' ? 'whole GPU' : slot}`,
  );
  return parts.join(', ') || 'nothing';
}

const poolColumns: readonly Column[] = [
  { head: 'POOL' },
  { head: '' },
  { head: 'MACHINE TYPE' },
  { head: 'SLICES' },
  { head: 'NODES', align: 'right' },
];

function poolsInWords(screen: Screen, pools: readonly PoolChange[]): string {
  if (pools.length === 0) return '';
  const rows = pools.map(({ pool, like, action, machineType, size, nodes, partitioner }) => [
    printable(pool),
    like === null ? action : `${action}, like ${printable(like)}`,
    machineType ?? '',
    size ?? (partitioner === 'gke' ? 'whole GPUs' : 'as planned'),
    `${nodes.before} -> ${nodes.after}`,
  ]);
  const leaving = pools.flatMap((pool) => pool.leaving);
  const gone =
    leaving.length === 0 ? [] : [wrapped(`nodes that go: ${listed(leaving)}`, screen.columns, '  ')];
  return [tableOf(screen, poolColumns, rows), ...gone].join('\n');
}

const moveColumns: readonly Column[] = [
  { head: 'POD THAT MOVES' },
  { head: 'SLICE' },
  { head: 'FROM' },
  { head: 'TO' },
];

function movesInWords(screen: Screen, { moves }: ClusterPlan, all: boolean): string {
  if (moves.length === 0) return '';
  const shown = moves.slice(0, all ? undefined : mostRows);
  const rows = shown.map(({ namespace, name, slice, from, to }) =>
    [`${namespace}/${name}`, slice, from, from === to ? `${to}, once it is cut` : to].map(printable),
  );
  const whys = [...new Set(shown.map(({ why }) => why))].slice(0, 3);
  const left = moves.length - shown.length;
  return [
    tableOf(screen, moveColumns, rows),
    ...(left === 0 ? [] : [`and ${left} pods more; --all shows them`]),
    ...whys.map((why) => wrapped(`why: ${printable(why)}`, screen.columns, '  ')),
  ].join('\n');
}

function requestsInWords(screen: Screen, { requests }: ClusterPlan): string {
  return requests
    .map(({ workload, pods, from, to }) =>
      wrapped(
        printable(`change ${workload} (${pods} pods) to ask for ${to} instead of ${from}`),
        screen.columns,
        '  ',
      ),
    )
    .join('\n');
}

function seatsInWords({ style, columns }: Screen, { seated, unplaced }: ClusterPlan, all: boolean): string {
  const lines = [
    ...seated.map(({ workload, slice, count, on, isThere }) => {
      const where = isThere
        ? `free already on ${listed(on)}: something else keeps it waiting`
        : `on ${listed(on)}`;
      return wrapped(
        `${style.green('gets a place')}  ${count} x ${printable(workload)} (${slice}) ${where}`,
        columns,
        '  ',
      );
    }),
    ...unplaced.map(({ workload, count, why }) =>
      wrapped(
        `${style.red('no place')}  ${count} x ${printable(workload)}: ${printable(why)}`,
        columns,
        '  ',
      ),
    ),
  ];
  const shown = all ? lines : lines.slice(0, 2 * mostRows);
  const left = lines.length - shown.length;
  return [...shown, ...(left === 0 ? [] : [`and ${left} more; --all shows them`])].join('\n');
}

function moneyInWords({ cost, verdict }: ClusterPlan): string {
  if (verdict !== 'change' || cost.now.usdPerHour === null) return '';
  const { now, after } = cost;
  const unknown = [...new Set([...now.unknown, ...after.unknown])];
  const rest = unknown.length === 0 ? '' : `; no price is known for ${listed(unknown)}`;
  return `GPU nodes: ${inMoney(now)} now, ${inMoney(after)} after${rest}`;
}

function inMoney({ usdPerHour, estimated }: PlanCost): string {
  return usdPerHour === null ? 'not known' : `${estimated ? 'about ' : ''}${formatUsd(usdPerHour)}/h`;
}

function idleInWords({ columns }: Screen, { idle }: ClusterPlan, all: boolean): string {
  if (idle.length === 0) return '';
  return wrapped(`no pod with GPUs on: ${listed(idle, all ? idle.length : undefined)}`, columns, '  ');
}

function listed(names: readonly string[], most = 4): string {
  const shown = names.slice(0, most).map(printable).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
