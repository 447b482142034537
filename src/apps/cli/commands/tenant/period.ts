/** Which time is meant by `--since`, `--until` and `--month`. Without a zone, dates are UTC, as invoices need one. */
import { MicaError } from '#core/errors';
import { timeSpanMs } from '../../arguments.js';

export interface PeriodFlags {
  readonly since?: string;
  readonly until?: string;
  readonly month?: string;
}

export interface Period {
  readonly sinceMs: number;
  /** `null`: until now. */
  readonly untilMs: number | null;
}

/** Without anything said, the month that it is. */
export function periodFrom({ since, until, month }: PeriodFlags, nowMs: number): Period {
  if (month !== undefined && (since !== undefined || until !== undefined)) {
    throw new MicaError('bad-usage', '--month is a period of its own', {
      next: 'Give --month, or --since and --until.',
    });
  }
  if (month !== undefined) return monthNamed(month, nowMs);
  const now = new Date(nowMs);
  const sinceMs =
    since === undefined
      ? Date.UTC(now.getUTCFullYear(), now.getUTCMonth())
      : momentNamed('--since', since, nowMs);
  const untilMs = until === undefined ? null : momentNamed('--until', until, nowMs);
  if (sinceMs >= (untilMs ?? nowMs)) {
    throw new MicaError('bad-usage', 'the period ends before it begins', {
      next: 'Give --since a time before --until, and before now.',
    });
  }
  return { sinceMs, untilMs };
}

function monthNamed(text: string, nowMs: number): Period {
  const [, year = '', month = ''] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? [];
  if (year === '') throw new MicaError('bad-usage', `--month takes a month as in 2026-11, got '${text}'`);
  const [years, index] = [Number(year), Number(month) - 1];
  const sinceMs = Date.UTC(years, index);
  if (sinceMs >= nowMs) throw new MicaError('bad-usage', `${text} has not begun yet`);
  return { sinceMs, untilMs: Date.UTC(years, index + 1) };
}

const longestAgoMs = 3650 * 86_400_000;
const isoForm = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** `7d` is that long ago; `2026-11-01` the first moment of that day; with a time, that moment. */
function momentNamed(option: string, text: string, nowMs: number): number {
  if (/^\d{1,6}[smhdw]$/.test(text)) return nowMs - timeSpanMs(option, text, longestAgoMs);
  const hasZone = !text.includes('T') || /(Z|[+-]\d{2}:\d{2})$/.test(text);
  const ms = isoForm.test(text) ? Date.parse(hasZone ? text : `${text}Z`) : NaN;
  // The 31st of a month without one would be taken for the 1st of the next.
  const isThatDay = !Number.isNaN(ms) && !Number.isNaN(Date.parse(`${text.slice(0, 10)}T00:00Z`));
  if (isThatDay && new Date(`${text.slice(0, 10)}T00:00Z`).toISOString().startsWith(text.slice(0, 10)))
    return ms;
  throw new MicaError(
    'bad-usage',
    `${option} takes a time as in 2026-11-01, 2026-11-01T12:00Z or 7d (ago); got '${text}'`,
  );
}
