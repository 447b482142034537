/** One line per workload for a spreadsheet, with columns that stay: RFC 4180, and no text that a cell would run. */
import type { AuditAnswer, AuditedWorkload } from '#core/audit/answer';
import { deviceMiB } from './device.js';
import { visible } from './visible.js';

type Cell = string | number | null | undefined;

/** Columns are only ever added, at the end. */
const columns: Readonly<Record<string, (workload: AuditedWorkload) => Cell>> = {
  namespace: ({ namespace }) => namespace,
  workload: ({ workload }) => workload,
  owner_kind: ({ owner }) => owner?.kind,
  owner_name: ({ owner }) => owner?.name,
  owner_via: ({ owner }) => owner?.via,
  verdict: ({ verdict }) => verdict,
  severity: ({ severity }) => severity,
  confidence: ({ confidence }) => confidence,
  replicas: ({ replicas }) => replicas,
  devices_each: ({ devicesEach }) => devicesEach,
  samples: ({ samples }) => samples,
  memory_p50_mib: ({ memoryMiB }) => memoryMiB?.p50,
  memory_p95_mib: ({ memoryMiB }) => memoryMiB?.p95,
  memory_p99_mib: ({ memoryMiB }) => memoryMiB?.p99,
  memory_max_mib: ({ memoryMiB }) => memoryMiB?.max,
  activity_metric: ({ compute }) => compute?.metric,
  activity_on_model: ({ compute }) => compute?.on.model,
  activity_on_profile: ({ compute }) => compute?.on.profile,
  activity_lower_bound: ({ compute }) => (compute === null ? null : String(compute.lowerBound)),
  activity_p50: ({ compute }) => compute?.p50,
  activity_p95: ({ compute }) => compute?.p95,
  activity_p99: ({ compute }) => compute?.p99,
  activity_max: ({ compute }) => compute?.max,
  current_model: ({ current }) => current.model,
  current_profile: ({ current }) => current.profile,
  current_usable_mib: ({ current }) => deviceMiB(current),
  recommended_model: ({ recommended }) => recommended?.model,
  recommended_profile: ({ recommended }) => recommended?.profile,
  recommended_usable_mib: ({ recommended }) => (recommended === null ? null : deviceMiB(recommended)),
  alternatives: ({ alternatives }) =>
    alternatives.map(({ model, profile }) => `${model}:${profile}`).join(' '),
  card_share_now: ({ cardShare }) => cardShare.now,
  card_share_after: ({ cardShare }) => cardShare.after,
  usd_per_month_now: ({ usdPerMonth }) => usdPerMonth.now,
  usd_per_month_after: ({ usdPerMonth }) => usdPerMonth.after,
  growth_mib_per_day: ({ growthMiBPerDay }) => growthMiBPerDay,
  rare_peak_strategy: ({ rarePeak }) => rarePeak?.strategy,
  rare_peak_profile: ({ rarePeak }) => rarePeak?.profile,
  rare_peak_samples_above: ({ rarePeak }) => rarePeak?.samplesAbove,
  rare_peak_minutes_above: ({ rarePeak }) => rarePeak?.minutesAbove,
  why: ({ why }) => why,
  confidence_why: ({ confidenceWhy }) => confidenceWhy.join('; '),
};

export function toCsv({ workloads }: AuditAnswer): string {
  const rows = workloads.map((workload) =>
    Object.values(columns)
      .map((cellOf) => csvCell(cellOf(workload)))
      .join(','),
  );
  return [Object.keys(columns).join(','), ...rows].map((line) => `${line}\n`).join('');
}

/** What is not known is empty. A text that a spreadsheet takes for a formula gets an apostrophe in front. */
export function csvCell(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  const text = visible(cell);
  const inert = /^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
