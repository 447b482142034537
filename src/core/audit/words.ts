/** Numbers as sentences of an audit write them. */
import { formatUsd } from '#core/units';

const dayMs = 86_400_000;

/** `20160` is `20,160`. */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 sample`, `20,160 samples`. */
export function counted(count: number, what: string): string {
  return `${grouped(count)} ${what}${Math.round(count) === 1 ? '' : 's'}`;
}

/** `0.624` is `62%`; below one percent with a decimal, so that little does not read as nothing. */
export function percent(share: number): string {
  const hundredths = share * 100;
  return `${hundredths > 0 && hundredths < 1 ? hundredths.toFixed(1) : Math.round(hundredths)}%`;
}

/** `14 days`, `1.5 days`, `6 hours`, `10 minutes`. */
export function duration(ms: number): string {
  for (const [unitMs, unit] of [
    [dayMs, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
  ] as const) {
    const amount = Math.round((ms / unitMs) * 10) / 10;
    if (amount >= 1) return `${amount >= 10 ? grouped(amount) : amount} ${unit}${amount === 1 ? '' : 's'}`;
  }
  return `${Math.round(ms / 1000)} seconds`;
}

/** Whole dollars: figures of a month need no cents. */
export function dollars(usd: number): string {
  return formatUsd(Math.round(usd)).replace(/\.\d+$/, '');
}

/** `a, b and c`; of many the first three and how many more. */
export function listed(names: readonly string[]): string {
  if (names.length > 4) return `${names.slice(0, 3).join(', ')} and ${grouped(names.length - 3)} more`;
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}
