/** Every workload in one table, what saves most first. */
import type { AuditedWorkload } from '#core/audit/answer';
import { changeOf } from '../device.js';
import { counted, countText, memoryText, percentText, signedMiB, usdText } from '../figures.js';
import { ownerKind, restName, type MonthlyUsd } from '../order.js';
import { sentence, verdictName } from '../sentences.js';
import { html, type Markup } from './markup.js';

/** More rows than this are left to the CSV: a browser would take seconds for them. */
const mostRows = 5_000;

/** From here on columns have fixed widths: to fit them to every row takes a browser seconds. */
const longTable = 400;

/** `hasDetail`: workloads that the page says more of, by their place in the list. `rest`: what the totals have beyond them. */
export function workloadTable(
  workloads: readonly AuditedWorkload[],
  hasDetail: (index: number) => boolean,
  rest: MonthlyUsd | null,
): Markup {
  const left = workloads.length - mostRows;
  return html`<form class="filter" data-tool="filter" hidden role="search">
      <label>Find <input type="search" autocomplete="off" spellcheck="false" /></label>
      <output data-count aria-live="polite"></output>
    </form>
    <div class="scroll" role="region" aria-label="Table of workloads" tabindex="0">
      <table class="workloads${workloads.length > longTable ? ' long' : ''}">
        <caption>
          Workloads, by what moving them saves. Memory and activity are of all samples of all replicas. A red
          edge is critical, an amber one a warning.
        </caption>
        <thead>
          <tr>
            <th scope="col">Workload</th>
            <th scope="col" class="number">Replicas</th>
            <th scope="col" class="number">Memory p95</th>
            <th scope="col" class="number">Memory max</th>
            <th scope="col" class="number">Activity p95</th>
            <th scope="col">Has and needs</th>
            <th scope="col">Verdict</th>
            <th scope="col" class="number">$ a month now</th>
            <th scope="col" class="number">After</th>
            <th scope="col">Confidence</th>
          </tr>
        </thead>
        <tbody>
          ${workloads.slice(0, mostRows).map((workload, index) => rowOf(workload, index, hasDetail(index)))}
        </tbody>
        ${rest === null ? null : restRow(rest)}
      </table>
    </div>
    ${left <= 0 ? null : html`<p class="quiet">and ${counted(left, 'workload')} that save less: --format csv lists all.</p>`}`;
}

function restRow({ now, after }: MonthlyUsd): Markup {
  return html`<tfoot>
    <tr>
      <th scope="row" colspan="7">Parts of the GPUs that nobody has: ${restName}</th>
      <td class="number">${usdText(now)}</td>
      <td class="number">${usdText(after)}</td>
      <td></td>
    </tr>
  </tfoot>`;
}

function rowOf(workload: AuditedWorkload, index: number, isLinked: boolean): Markup {
  const { workload: name, memoryMiB, compute, usdPerMonth, verdict, severity } = workload;
  const where = whereOf(workload);
  const grade = severity === 'critical' || severity === 'warning' ? severity : null;
  const named = isLinked ? html`<a href="#w${index}"><bdi>${name}</bdi></a>` : html`<bdi>${name}</bdi>`;
  return html`<tr data-row="${index}" class="s-${severity}">
    <th scope="row">
      ${named}${where === '' ? null : html` <small><bdi>${where}</bdi></small>`}${grade === null ? null : html` <span class="unseen">${grade}</span>`}
    </th>
    ${number(workload.replicas, countText(workload.replicas))}
    ${number(memoryMiB?.p95, memoryText(memoryMiB?.p95 ?? null))}
    ${number(memoryMiB?.max, memoryText(memoryMiB?.max ?? null))}
    ${number(compute?.p95, compute === null ? '' : `${compute.lowerBound ? '≥ ' : ''}${percentText(compute.p95)}`)}
    <td class="change-cell">${changeMarkup(workload)}</td>
    <td>${verdictChip(workload)}${isLinked ? null : html` <small>${sentence(workload.why)}</small>`}</td>
    ${number(usdPerMonth.now, usdText(usdPerMonth.now))}
    ${number(usdPerMonth.after, usdText(usdPerMonth.after), verdict === 'unknown' ? '' : 'strong')}
    <td>${workload.confidence}</td>
  </tr>`;
}

/** `search · Deployment`. */
export function whereOf(workload: AuditedWorkload): string {
  const owner = ownerKind(workload);
  const named =
    workload.owner === undefined || workload.owner.name === workload.workload
      ? owner
      : `${owner} ${workload.owner.name}`;
  return [workload.namespace ?? '', named].filter((part) => part !== '').join(' · ');
}

export function verdictChip({ verdict }: AuditedWorkload): Markup {
  return html`<span class="chip v-${verdict}">${verdictName[verdict]}</span>`;
}

export function changeMarkup(workload: AuditedWorkload): Markup {
  const { from, to, diffMiB } = changeOf(workload);
  if (to === null) return html`${from} <span class="quiet">stays for now</span>`;
  if (to === from) return html`${from} <span class="quiet">stays</span>`;
  const diff = diffMiB === null ? null : html` <small>${signedMiB(diffMiB).replace('-', '−')}</small>`;
  return html`${from} <span class="arrow" aria-hidden="true">→</span><span class="unseen"> to </span>
    <b>${to}</b>${diff}`;
}

/** What is not known sorts before everything and has no figure. */
function number(value: number | null | undefined, text: string, emphasis = ''): Markup {
  const known = value !== null && value !== undefined;
  const style = known ? `number ${emphasis}`.trim() : 'number quiet';
  return html`<td class="${style}" data-v="${known ? value : ''}">${known ? text : '–'}</td>`;
}
