/** The answer as Markdown, to paste into a ticket or a pull request. */
import type { AuditAnswer, AuditedWorkload } from '#core/audit/answer';
import { changeOf, changeText, cardName } from './device.js';
import { counted, memoryText, usdChangeText, usdText } from './figures.js';
import { byNamespace, isPlain, ownerKind, restName, restOf } from './order.js';
import { activityText, confidenceText, fullName, methodOf, sentence, verdictName } from './sentences.js';
import { visible } from './visible.js';

export function toMarkdown(answer: AuditAnswer): string {
  const { totals, workloads, isolation, notes } = answer;
  const saved = totals.usdPerMonth === null ? '' : `, ${usdText(totals.usdPerMonth.saved)} a month saved`;
  const reasons = workloads.filter((workload) => !isPlain(workload));
  const sections = [
    '# GPU audit',
    `**${inert(totals.headline)}**`,
    `Score **${totals.score}** of 100 (**${totals.letter}**), ${counted(totals.gpus.freed, 'GPU')} freed${saved}.`,
    modelTable(answer),
    '## Workloads',
    workloadTable(answer),
    ...section('Why', reasons.map(reasonOf)),
    ...section('What isolated slices give', isolation.gives.map(inert)),
    ...section('What they take away', isolation.takes.map(inert)),
    ...section('Notes', notes.map(inert)),
    ...section(
      'How the figures were made',
      methodOf(answer).map(([name, value]) => `${name}: ${inert(value)}`),
    ),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** Text of others as text: no markup, no HTML, no end of the line or of the table cell. */
export function inert(text: string): string {
  return visible(text.replace(/\s+/g, ' '))
    .replace(/[\\`*_[\]<>|~&]/g, (sign) => `\\${sign}`)
    .replace(/^(\s*)([#+-]|\d+[.)])(?=\s)/, '$1\\$2');
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`## ${title}`, lines.map((line) => `- ${line}`).join('\n')];
}

function modelTable({ totals: { byModel, gpus, usdPerMonth } }: AuditAnswer): string {
  const models = [...new Set([...byModel.now, ...byModel.after].map(({ model }) => model))];
  const rows = models.map((model) => {
    const now = byModel.now.find((entry) => entry.model === model);
    const after = byModel.after.find((entry) => entry.model === model);
    return [
      inert(cardName(model)),
      String(now?.gpus ?? 0),
      String(after?.gpus ?? 0),
      usdText(now === undefined ? 0 : now.usdPerMonth),
      usdText(after === undefined ? 0 : after.usdPerMonth),
    ];
  });
  const sums = [usdPerMonth?.now ?? null, usdPerMonth?.after ?? null].map(usdText);
  return tableOf(
    ['GPU', 'now:', 'after:', '$ a month now:', 'after:'],
    [...rows, ['**all**', String(gpus.now), String(gpus.after), ...sums].map(bold)],
  );
}

function bold(cell: string): string {
  return cell.startsWith('**') ? cell : `**${cell}**`;
}

function workloadTable(answer: AuditAnswer): string {
  const rest = restOf(answer);
  const rows = byNamespace(answer.workloads).flatMap(({ namespace, workloads: members }) =>
    members.map((workload) => [
      inert(namespace),
      inert([workload.workload, ownerKind(workload)].filter((part) => part !== '').join(', ')),
      String(workload.replicas),
      memoryText(workload.memoryMiB?.p95 ?? null),
      memoryText(workload.memoryMiB?.max ?? null),
      activityText(workload),
      inert(changeText(changeOf(workload))).replace('-\\>', '→'),
      verdictName[workload.verdict],
      usdChangeText(workload.usdPerMonth).replace('->', '→'),
      workload.confidence,
    ]),
  );
  const heads = ['namespace', 'workload', 'replicas:', 'memory p95:', 'max:', 'activity p95:'];
  const last =
    rest === null ? [] : [['', restName, '', '', '', '', '', '', usdChangeText(rest).replace('->', '→'), '']];
  return tableOf([...heads, 'change', 'verdict', '$ a month:', 'confidence'], [...rows, ...last]);
}

/** A colon at the end of a head: numbers, to the right. */
function tableOf(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [
    heads.map((head) => head.replace(/:$/, '')),
    heads.map((head) => (head.endsWith(':') ? '---:' : '---')),
    ...rows,
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function reasonOf(workload: AuditedWorkload): string {
  const parts = [sentence(workload.why), `Confidence ${confidenceText(workload)}.`];
  return `**${inert(fullName(workload))}**: ${inert(parts.join(' '))}`;
}
