/** A line for each row of usage, with columns that stay. */
import { csvCell } from '#engines/report/csv';
import type { UsageReport, UsageRow } from '#engines/tenancy/usage';

type Cell = Parameters<typeof csvCell>[0];

/** Columns are only ever added, at the end. */
const columns: Readonly<Record<string, (row: UsageRow, report: UsageReport) => Cell>> = {
  since: (_, { sinceMs }) => new Date(sinceMs).toISOString(),
  until: (_, { untilMs }) => new Date(untilMs).toISOString(),
  tenant: ({ tenant }) => tenant,
  model: ({ model }) => model,
  profile: ({ profile }) => profile ?? 'whole',
  uses: ({ uses }) => uses,
  slice_hours: ({ sliceHours }) => sliceHours.toFixed(4),
  gpu_hours: ({ gpuHours }) => gpuHours.toFixed(4),
  usd_per_gpu_hour: ({ usdPerGpuHour }) => usdPerGpuHour?.toFixed(6),
  price_is_estimate: ({ usdPerGpuHour, isEstimate }) => (usdPerGpuHour === null ? null : String(isEstimate)),
  usd: ({ usd }) => usd?.toFixed(2),
};

export function usageAsCsv(report: UsageReport): string {
  const rows = report.rows.map((row) =>
    Object.values(columns)
      .map((cellOf) => csvCell(cellOf(row, report)))
      .join(','),
  );
  return [Object.keys(columns).join(','), ...rows].map((line) => `${line}\n`).join('');
}
