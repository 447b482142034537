/** An audit on a screen, as users of krr know it: what is wasted where, what to take instead, and what that saves. */
import type { AuditAnswer, AuditedWorkload, Severity } from '#core/audit/answer';
import { changeOf, changeText } from '#engines/report/device';
import { counted, memoryText, usdChangeText, usdText } from '#engines/report/figures';
import { byNamespace, isPlain, ownerKind, restName, restOf, savedUsd } from '#engines/report/order';
import {
  activityText,
  confidenceText,
  fullName,
  methodOf,
  sentence,
  unpricedText,
  verdictName,
} from '#engines/report/sentences';
import { printable, type Screen, type Style } from '../../terminal/screen.js';
import { tableOf, type Column } from '../../terminal/table.js';
import { drawAudited } from './draw-audited.js';

/** With `all`, every workload has its reason and every layout its drawing; else what is not plain, and the most frequent. */
export function describeAudit(screen: Screen, answer: AuditAnswer, all = false): string {
  const sections = [
    headline(screen, answer),
    workloadTable(screen, answer),
    reasons(screen, answer, all),
    drawAudited(screen, answer, all),
    answer.notes.map((note) => `note: ${oneLine(note)}`).join('\n'),
    all ? method(answer) : '',
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function headline({ style }: Screen, answer: AuditAnswer): string {
  const { totals } = answer;
  const { gpus, usdPerMonth, score, letter } = totals;
  const money =
    usdPerMonth === null
      ? 'no price known'
      : `${usdText(usdPerMonth.now)} -> ${usdText(usdPerMonth.after)} a month (${signedUsd(-usdPerMonth.saved)})`;
  const unpriced = totals.unpriced.length === 0 ? '' : `, without ${unpricedText(answer)}`;
  const grade = colourOfLetter(style, letter)(`score ${score} of 100, ${letter}`);
  return [
    style.bold(oneLine(totals.headline)),
    `${grade}   ${gpus.now} -> ${gpus.after} GPUs (${signed(gpus.after - gpus.now)})   ${money}${oneLine(unpriced)}`,
  ].join('\n');
}

function signed(gpus: number): string {
  return gpus > 0 ? `+${gpus}` : String(gpus);
}

function signedUsd(usd: number): string {
  return usd > 0 ? `+${usdText(usd)}` : usdText(usd);
}

interface AuditColumn extends Column {
  readonly cellOf: (workload: AuditedWorkload, style: Style) => string;
  /** Where even the columns that stay are too wide. */
  readonly shortOf?: (workload: AuditedWorkload) => string;
  /** Where even that is too wide. */
  readonly brief?: Pick<AuditColumn, 'head' | 'cellOf'>;
  /** The first to go where the screen is narrow has the highest; 0 always stays. */
  readonly spare: number;
}

const columns: readonly AuditColumn[] = [
  { head: 'workload', spare: 0, cellOf: nameCell, shortOf: shortName },
  { head: 'replicas', align: 'right', spare: 3, cellOf: ({ replicas }) => String(replicas) },
  { head: 'mem p95', align: 'right', spare: 2, cellOf: ({ memoryMiB }) => orDash(memoryMiB?.p95) },
  { head: 'max', align: 'right', spare: 0, cellOf: ({ memoryMiB }) => orDash(memoryMiB?.max) },
  { head: 'activity', align: 'right', spare: 1, cellOf: (workload) => activityText(workload) || '-' },
  {
    head: 'current -> recommended',
    spare: 0,
    cellOf: changeCell,
    brief: { head: '-> recommended', cellOf: targetCell },
  },
  { head: 'verdict', spare: 5, cellOf: ({ verdict }) => verdictName[verdict] },
  {
    ...{ head: '$ a month', align: 'right', spare: 0, shortOf: savingCell },
    cellOf: ({ usdPerMonth }) => usdChangeText(usdPerMonth),
  },
  { head: 'sure', spare: 4, cellOf: ({ confidence }) => confidence },
];

const mostSpare = Math.max(...columns.map(({ spare }) => spare));

/** In a pipe, lines are as long as they need to be: nobody reads them with the eye alone. */
function workloadTable(screen: Screen, answer: AuditAnswer): string {
  if (answer.workloads.length === 0) return 'no workload was seen on any GPU';
  const fits = (text: string): boolean => !screen.isTerminal || widthOf(text) <= screen.columns;
  for (let most = mostSpare; most >= 0; most -= 1) {
    const shown = columns.filter(({ spare }) => spare <= most);
    const text = tableWith(screen, answer, shown);
    if (fits(text)) return text;
  }
  const last = columns
    .filter(({ spare }) => spare === 0)
    .map((column) => ({ ...column, cellOf: column.shortOf ?? column.cellOf }));
  const text = tableWith(screen, answer, last);
  if (fits(text)) return text;
  return tableWith(
    screen,
    answer,
    last.map((column) => ({ ...column, ...column.brief })),
  );
}

function tableWith(screen: Screen, answer: AuditAnswer, shown: readonly AuditColumn[]): string {
  const { style } = screen;
  const rest = restOf(answer);
  const rows = byNamespace(answer.workloads).flatMap(({ namespace, savedUsd: less, workloads: members }) => {
    const name = namespace === '' ? 'in no namespace' : shortened(oneLine(namespace));
    const saved = less === 0 ? '' : signedUsd(-less);
    const head = shown.map((column, index) =>
      index === 0 ? name : column.head === '$ a month' ? saved : '',
    );
    return [
      head.map((cell) => (cell === '' ? '' : style.bold(cell))),
      ...members.map((workload) => shown.map(({ cellOf }) => cellOf(workload, style))),
    ];
  });
  if (rest !== null) {
    const isShort = shown.some(({ shortOf, cellOf }) => shortOf !== undefined && shortOf === cellOf);
    const money = isShort ? signedUsd(rest.after - rest.now) : usdChangeText(rest);
    rows.push(
      shown.map(({ head }, index) => (index === 0 ? style.dim(restName) : head === '$ a month' ? money : '')),
    );
  }
  return tableOf(screen, shown, rows);
}

const mostLetters = 32;

function nameCell(workload: AuditedWorkload, style: Style): string {
  const kind = ownerKind(workload);
  return `  ${shortened(oneLine(workload.workload))}${kind === '' ? '' : style.dim(` ${oneLine(kind)}`)}`;
}

function shortName({ workload }: AuditedWorkload): string {
  return `  ${shortened(oneLine(workload), 22)}`;
}

function savingCell(workload: AuditedWorkload): string {
  const saved = savedUsd(workload);
  return saved === 0 ? '' : signedUsd(-saved);
}

function changeCell(workload: AuditedWorkload, style: Style): string {
  return colourOf(style, workload.severity)(oneLine(changeText(changeOf(workload))));
}

function targetCell(workload: AuditedWorkload, style: Style): string {
  const { from, to } = changeOf(workload);
  return colourOf(style, workload.severity)(oneLine(to === null ? '?' : to === from ? 'stays' : to));
}

function orDash(memoryMiB: number | undefined): string {
  return memoryMiB === undefined ? '-' : memoryText(memoryMiB);
}

/** As many reasons as fit on a screen beside the rest. */
const mostReasons = 12;

function reasons({ style }: Screen, { workloads }: AuditAnswer, all: boolean): string {
  const ordered = byNamespace(workloads).flatMap((group) => group.workloads);
  const told = all ? ordered : ordered.filter((workload) => !isPlain(workload));
  const shown = told.slice(0, all ? told.length : mostReasons);
  const lines = shown.map((workload) => {
    const sure = all || workload.confidence === 'low' ? `Confidence ${confidenceText(workload)}.` : null;
    const text = [sentence(workload.why), sure].filter((part) => part !== null).join(' ');
    return `  ${colourOf(style, workload.severity)(shortened(oneLine(fullName(workload))))}  ${oneLine(text)}`;
  });
  if (lines.length === 0) return '';
  const left = told.length - shown.length;
  const rest =
    left === 0 ? [] : [`  and ${counted(left, 'workload')} more; --verbose says why for every one`];
  return [style.bold('why'), ...lines, ...rest].join('\n');
}

function method(answer: AuditAnswer): string {
  const lines = methodOf(answer).map(([name, value]) => `  ${name}: ${oneLine(value)}`);
  const { gives, takes } = answer.isolation;
  return [
    ...['how the figures were made', ...lines],
    ...(gives.length === 0
      ? []
      : ['what isolated slices give', ...gives.map((text) => `  ${oneLine(text)}`)]),
    ...(takes.length === 0 ? [] : ['what they take away', ...takes.map((text) => `  ${oneLine(text)}`)]),
  ].join('\n');
}

function colourOf(style: Style, severity: Severity): (text: string) => string {
  switch (severity) {
    case 'critical':
      return style.red;
    case 'warning':
      return style.yellow;
    case 'good':
      return style.green;
    case 'unknown':
      return style.dim;
    case 'ok':
      return (text) => text;
  }
}

function colourOfLetter(style: Style, letter: AuditAnswer['totals']['letter']): (text: string) => string {
  if (letter === 'A' || letter === 'B') return style.green;
  return letter === 'C' ? style.yellow : style.red;
}

/** Names come from outside: they neither move the cursor nor end the line. */
function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, ' '));
}

function shortened(text: string, most = mostLetters): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** Takes no room. */
const colour = /\p{Cc}\[\d+m/gu;

function widthOf(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.replace(colour, '').length));
}
