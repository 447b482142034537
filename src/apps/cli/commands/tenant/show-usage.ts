/** Usage and what it cost, as people and programs read them. */
import type { UsageReport, UsageSum } from '#engines/tenancy/usage';
import { printable, type Screen } from '../../terminal/screen.js';
import { tableOf } from '../../terminal/table.js';

export function describeUsage(screen: Screen, report: UsageReport): string {
  const { rows, tenants, total } = report;
  if (rows.length === 0) return `nothing was leased\n\n${periodInWords(report)}`;
  const columns = [
    { head: 'tenant' },
    { head: 'model' },
    { head: 'profile' },
    { head: 'uses', align: 'right' },
    { head: 'slice-hours', align: 'right' },
    { head: 'GPU-hours', align: 'right' },
    { head: '$/GPU-hour', align: 'right' },
    { head: 'cost', align: 'right' },
  ] as const;
  const lines = tenants.flatMap((sum) => {
    const own = rows.filter(({ tenant }) => tenant === sum.tenant);
    const shown = own.map((row) => [
      printable(row.tenant ?? '-'),
      row.model ?? 'unknown model',
      row.profile ?? 'whole GPU',
      ...figures(row, `${priceInWords(row.usdPerGpuHour)}${row.isEstimate ? ' ~' : ''}`),
    ]);
    const isSummed = own.length > 1 && tenants.length > 1;
    return isSummed ? [...shown, [printable(sum.tenant ?? '-'), 'together', '', ...figures(sum, '')]] : shown;
  });
  const all = rows.length === 1 ? [] : [['total', '', '', ...figures(total, '')]];
  return `${tableOf(screen, columns, [...lines, ...all])}\n\n${periodInWords(report)}`;
}

function figures({ uses, sliceHours, gpuHours, usd }: UsageSum, price: string): readonly string[] {
  return [`${uses}`, sliceHours.toFixed(4), gpuHours.toFixed(4), price, usd === null ? '?' : moneyOf(usd)];
}

function moneyOf(usd: number): string {
  const [whole = '', cents = ''] = usd.toFixed(2).split('.');
  return `$${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${cents}`;
}

/** All its decimals: what it is multiplied by is on the same line. */
function priceInWords(usdPerGpuHour: number | null): string {
  if (usdPerGpuHour === null) return '?';
  return `$${usdPerGpuHour.toFixed(6).replace(/0{1,4}$/, '')}`;
}

/** What the figures are about, and what is to be known of them. */
export function periodInWords({ sinceMs, untilMs, rows, running, unpriced }: UsageReport): string {
  const leases = running === 1 ? '1 lease still runs and is' : `${running} leases still run and are`;
  return [
    `From ${isoOf(sinceMs)} to ${isoOf(untilMs)}; use across a border is cut there.`,
    'Hours are rounded to four decimals, money to cents, row by row; totals are the sums of the rows.',
    ...(rows.some(({ tenant }) => tenant === null) ? ['-: whoever owns the machine, without a tenant.'] : []),
    ...(running === 0 ? [] : [`${leases} counted up to now.`]),
    ...(rows.some(({ isEstimate }) => isEstimate)
      ? ["~: a figure that ranks machines and is nobody's price; state your own with --prices."]
      : []),
    ...(unpriced.length === 0
      ? []
      : [`No price is known for ${unpriced.join(', ')}: not in any sum of money; state one with --prices.`]),
  ].join('\n');
}

export function usageAsJson({ sinceMs, untilMs, ...report }: UsageReport): object {
  return {
    since: isoOf(sinceMs),
    until: isoOf(untilMs),
    rounding: { hours: 0.0001, usd: 0.01, each: 'row' },
    ...report,
  };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
