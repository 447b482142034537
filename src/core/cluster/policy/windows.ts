/** When something may be begun: windows that come again each week, by the clocks of their own time zones. */
import type { MaintenanceWindow, Weekday } from './mig-policy.js';

export interface WindowsNow {
  readonly isOpen: boolean;
  /** When that changes, in ms since 1970; `Infinity`: never. */
  readonly untilMs: number;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const weekdays: readonly Weekday[] = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'];

/** Open all the time where there are none. */
export function windowsAt(windows: readonly MaintenanceWindow[], nowMs: number): WindowsNow {
  if (windows.length === 0) return { isOpen: true, untilMs: Infinity };
  const spans = windows.flatMap((window) => spansAround(window, nowMs)).sort((a, b) => a.fromMs - b.fromMs);
  let untilMs = nowMs;
  for (const { fromMs, toMs } of spans) if (fromMs <= untilMs && toMs > untilMs) untilMs = toMs;
  if (untilMs > nowMs) return { isOpen: true, untilMs };
  return {
    isOpen: false,
    untilMs: Math.min(Infinity, ...spans.flatMap(({ fromMs }) => (fromMs > nowMs ? fromMs : []))),
  };
}

/** The system knows clocks by that name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Of the week before and the week to come: no window is longer than a week. */
function spansAround(
  { days, start, durationMinutes, timeZone }: MaintenanceWindow,
  nowMs: number,
): readonly Span[] {
  const [hours = 0, minutes = 0] = start.split(':').map(Number);
  const today = Math.floor(wallMs(timeZone, nowMs) / dayMs);
  return Array.from({ length: 17 }, (_, index) => today - 8 + index)
    .filter((day) => days.length === 0 || days.includes(weekdays[((day % 7) + 7) % 7] ?? 'Thu'))
    .map((day) => {
      const fromMs = instantOf(timeZone, day * dayMs + (hours * 60 + minutes) * minuteMs);
      return { fromMs, toMs: fromMs + durationMinutes * minuteMs };
    });
}

/** When the clocks there show that; of a time that they skip, the time before the skip or after it. */
function instantOf(timeZone: string, wall: number): number {
  const guess = wall - (wallMs(timeZone, wall) - wall);
  return wall - (wallMs(timeZone, guess) - guess);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
      ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** What the clocks there show, counted as if they stood in Greenwich. */
function wallMs(timeZone: string, atMs: number): number {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const seconds = (part('hour') * 60 + part('minute')) * 60 + part('second');
  return daysSince1970(part('year'), part('month'), part('day')) * dayMs + seconds * 1000;
}

/** Of the Gregorian calendar: years begin in March, so that the leap day is their last. */
function daysSince1970(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** `2026-11-24 22:00 UTC`. */
export function utcText(atMs: number): string {
  const parts = new Map(
    formatOf('UTC')
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  return `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')} UTC`;
}
