/** What the report says in words, the same in every format. */
import type { AuditAnswer, AuditedWorkload, Verdict } from '#core/audit/answer';
import type { Dropped, SourceKind } from '#core/observe/observation';
import { cardName } from './device.js';
import { counted, countText, memoryText, percentText, usdText } from './figures.js';

export const verdictName: Readonly<Record<Verdict, string>> = {
  slice: 'slice',
  'whole-gpu': 'whole GPU',
  share: 'share',
  'no-gpu': 'no GPU',
  unknown: 'unknown',
};

export const sourceName: Readonly<Record<SourceKind, string>> = {
  prometheus: 'Prometheus',
  dcgm: 'dcgm-exporter',
  csv: 'a CSV file',
  'nvidia-smi': 'a log of nvidia-smi',
  nvml: "NVML, this machine's driver",
};

/** `search/reranker`. */
export function fullName({ namespace, workload }: AuditedWorkload): string {
  return namespace === undefined ? workload : `${namespace}/${workload}`;
}

/** The 95th percentile, as `12%`; a lower bound says so; empty where nothing is known. */
export function activityText({ compute }: AuditedWorkload): string {
  return compute === null ? '' : `${compute.lowerBound ? '≥' : ''}${percentText(compute.p95)}`;
}

/** What a decision for or against a rare peak comes to; `null`: the peak is not rare. */
export function rarePeakText({ rarePeak }: AuditedWorkload, chosen: string): string | null {
  if (rarePeak === null) return null;
  const { maxMiB, strategy, profile, usableMiB, samplesAbove, samples, minutesAbove } = rarePeak;
  const time =
    minutesAbove === null || minutesAbove < 1 ? '' : ` (${counted(Math.round(minutesAbove), 'minute')})`;
  const seen =
    `The peak of ${memoryText(maxMiB)} is rare: ${countText(samplesAbove)} of ${countText(samples)} samples${time} ` +
    `are above the ${memoryText(usableMiB)} of ${profile}.`;
  return chosen === 'peak'
    ? `${seen} With --strategy ${strategy} it would get ${profile}, and run out of memory at such a peak.`
    : `${seen} --strategy ${chosen} takes ${profile} all the same: at such a peak it runs out of memory.`;
}

/** The saving in a few words, for a title. */
export function savingTitle({ gpus, usdPerMonth }: AuditAnswer['totals']): string {
  if (gpus.now === 0) return 'No GPUs were seen';
  const fewer = `${countText(gpus.after)} ${gpus.after === 1 ? 'GPU does' : 'GPUs do'} the work of ${countText(gpus.now)}`;
  if (usdPerMonth !== null && usdPerMonth.saved >= 1) {
    const saved = `Save ${usdText(usdPerMonth.saved)} a month`;
    return gpus.freed > 0 ? `${saved}: ${fewer}` : saved;
  }
  return gpus.freed > 0 ? fewer : `Slices free none of ${counted(gpus.now, 'GPU')}`;
}

/** `12 beyond any card, 3 not a number`; `null`: none. */
export function droppedText(dropped: Dropped): string | null {
  const reasons: readonly (readonly [number, string])[] = [
    [dropped.sentinel, 'beyond what any card can have'],
    [dropped.text, 'text'],
    [dropped.notFinite, 'NaN or infinite'],
    [dropped.negative, 'negative'],
  ];
  const said = reasons.filter(([count]) => count > 0).map(([count, why]) => `${countText(count)} ${why}`);
  return said.length === 0 ? null : said.join(', ');
}

/** With a capital and a full stop, as a sentence of its own. */
export function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;
}

/** Whether a figure can be trusted, and what it rests on. */
export function confidenceText({ confidence, confidenceWhy }: AuditedWorkload): string {
  return confidenceWhy.length === 0 ? confidence : `${confidence}: ${confidenceWhy.join('; ')}`;
}

/** Models and machines without a price. */
export function unpricedText({ totals }: AuditAnswer): string {
  return totals.unpriced.map(cardName).join(', ');
}

/** How the figures were made, one fact a line. */
export function methodOf(answer: AuditAnswer): readonly (readonly [string, string])[] {
  const percent = Math.round(answer.headroom * 1000) / 10;
  const dropped = droppedText(answer.dropped);
  return [
    ['Source', sourceName[answer.source]],
    ['Window', `${timeText(answer.window.start)} to ${timeText(answer.window.end)}, UTC`],
    ['A slice must hold', `the ${answer.strategy} of memory in use, plus ${percent}% headroom`],
    ['Percentiles', 'interpolated linearly over all samples of the pods of a workload'],
    ['Money', 'a month of 730 hours; the GPUs that remain are repacked by the planner of mica plan'],
    ['Values not believed', dropped ?? 'none'],
    ...(answer.totals.unpriced.length === 0 ? [] : [['Not in the $ totals', unpricedText(answer)] as const]),
  ];
}

/** `2026-10-26T08:15:00.000Z` is `26 Oct 2026 08:15`; what is not a time stays as it is. */
export function timeText(iso: string): string {
  const [, year, month, day, hours] = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d)/.exec(iso) ?? [];
  const name = month === undefined ? undefined : months[Number(month) - 1];
  if (name === undefined) return iso;
  return `${Number(day)} ${name} ${year}${hours === '00:00' ? '' : ` ${hours}`}`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
