/** One workload in full: its memory over time, why it gets what it gets, and how sure that is. */
import type { AuditedWorkload } from '#core/audit/answer';
import type { ActivityMetric, Owner } from '#core/observe/observation';
import { deviceName } from '../device.js';
import { countText, memoryText, percentText, usdChangeText } from '../figures.js';
import { droppedText, sentence } from '../sentences.js';
import { chartOf } from './chart.js';
import { factList, type Fact } from './fact-list.js';
import { html, type Markup } from './markup.js';
import { changeMarkup, verdictChip, whereOf } from './table.js';

export function detailOf(workload: AuditedWorkload, index: number, isOpen: boolean): Markup {
  const id = `w${index}`;
  const isRemarkable = workload.rarePeak !== null || workload.growthMiBPerDay !== null;
  return html`<details class="workload" id="${id}" ${isOpen ? html`open` : null}>
    <summary>
      <h3><bdi>${workload.workload}</bdi></h3>
      <span class="where"><bdi>${whereOf(workload)}</bdi></span>
      <span class="change">${changeMarkup(workload)}</span>
      ${verdictChip(workload)}
    </summary>
    <p class="${isRemarkable ? 'remark' : 'why'}">${sentence(workload.why)}</p>
    <figure>
      ${chartOf(workload, id) ?? html`<p class="quiet">No figures of memory over time.</p>`}
      <figcaption>Largest memory in use by any replica, times in UTC.</figcaption>
    </figure>
    ${factList(factsOf(workload))}
  </details>`;
}

const metricName: Readonly<Record<ActivityMetric, string>> = {
  'sm-active': 'share of SMs at work',
  'gr-engine': 'share of time with work',
  utilization: 'share of time with work',
};

const viaText: Readonly<Record<Owner['via'], string>> = {
  api: 'as the Kubernetes API says',
  'kube-state-metrics': 'as kube-state-metrics says',
  name: 'a guess from the names of its pods',
};

function factsOf(workload: AuditedWorkload): readonly Fact[] {
  const { memoryMiB, compute, samples, recommended, owner, confidence, confidenceWhy } = workload;
  const alternatives = workload.alternatives.filter(
    ({ model, profile }) => model !== recommended?.model || profile !== recommended.profile,
  );
  const memory = (['p50', 'p95', 'p99', 'max'] as const)
    .map((name) => (memoryMiB === null ? null : `${name} ${memoryText(memoryMiB[name])}`))
    .filter((text) => text !== null);
  const dropped = droppedText(workload.dropped);
  return [
    ['Memory', memory.length === 0 ? 'no figures' : memory.join(', ')],
    ['Activity', compute === null ? 'not known' : activityOf(compute)],
    ...(owner === undefined
      ? []
      : [['Owner', `${owner.kind} ${owner.name}, ${viaText[owner.via]}`] satisfies Fact]),
    ['Samples', countText(samples)],
    ['Cost a month', usdChangeText(workload.usdPerMonth).replace('->', '→')],
    ...(alternatives.length === 0
      ? []
      : [['Would do too', alternatives.map(deviceName).join(', ')] satisfies Fact]),
    ['Severity', workload.severity],
    ['Confidence', [confidence, ...confidenceWhy.map(sentence)].join('. ').replace('. ', ': ')],
    ...(dropped === null ? [] : [['Values not believed', dropped] satisfies Fact]),
  ];
}

function activityOf(compute: NonNullable<AuditedWorkload['compute']>): string {
  const { p50, p95, max, metric, on, lowerBound } = compute;
  const figures = `p50 ${percentText(p50)}, p95 ${percentText(p95)}, max ${percentText(max)}`;
  return `${figures}: ${metricName[metric]} of ${deviceName(on)}${lowerBound ? ', a lower bound' : ''}`;
}
