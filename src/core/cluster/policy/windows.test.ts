/** Windows against the clocks of real time zones, summer time included. */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { MaintenanceWindow } from './mig-policy.js';
import { isTimeZone, utcText, windowsAt } from './windows.js';

const at = (text: string): number => Date.parse(text);
const saturdays: MaintenanceWindow = {
  days: ['Sat'],
  start: '22:00',
  durationMinutes: 240,
  timeZone: 'Europe/Berlin',
};

describe('maintenance windows', () => {
  it('are open all the time where there are none', () => {
    expect(windowsAt([], 0)).toEqual({ isOpen: true, untilMs: Infinity });
  });

  it.each([
    ['2026-11-21T20:59:59Z', false, '2026-11-21T21:00:00Z'],
    ['2026-11-21T21:00:00Z', true, '2026-11-22T01:00:00Z'],
    ['2026-11-22T00:59:59Z', true, '2026-11-22T01:00:00Z'],
    ['2026-11-22T01:00:00Z', false, '2026-11-28T21:00:00Z'],
    // Summer time: an hour earlier by the clocks of Greenwich.
    ['2026-07-04T19:59:00Z', false, '2026-07-04T20:00:00Z'],
    // The night in which the clocks go back: four hours of real time.
    ['2026-10-24T20:30:00Z', true, '2026-10-25T00:00:00Z'],
  ])('at %s: open %s, until %s', (now, isOpen, until) => {
    expect(windowsAt([saturdays], at(now))).toEqual({ isOpen, untilMs: at(until) });
  });

  it('that touch are one', () => {
    const next = { ...saturdays, days: ['Sun' as const], start: '02:00' };
    expect(windowsAt([saturdays, next], at('2026-11-21T22:00:00Z')).untilMs).toBe(at('2026-11-22T05:00:00Z'));
  });

  it('know the same moments as a walk through every minute', () => {
    const days = fc.subarray(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const);
    const zone = fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'America/St_Johns',
      'Pacific/Kiritimati',
      'Asia/Kolkata',
    );
    const window = fc.record({
      days,
      start: fc.integer({ min: 0, max: 1439 }).map((m) => `${pad(Math.floor(m / 60))}:${pad(m % 60)}`),
      durationMinutes: fc.integer({ min: 1, max: 2000 }),
      timeZone: zone,
    });
    const hour = fc.integer({ min: 0, max: 400 * 24 }).map((h) => at('2026-01-01T00:00:00Z') + h * 3_600_000);
    fc.assert(
      fc.property(window, hour, (one, nowMs) => {
        expect(windowsAt([one], nowMs).isOpen).toBe(isOpenByWalking(one, nowMs));
      }),
      { numRuns: 60 },
    );
  });

  it('know a time zone from a word', () => {
    expect(isTimeZone('Europe/Berlin')).toBe(true);
    expect(isTimeZone('Europe/Atlantis')).toBe(false);
  });
});

it('tells a moment', () => {
  expect(utcText(at('2026-11-24T22:05:59Z'))).toBe('2026-11-24 22:05 UTC');
});

function pad(number: number): string {
  return String(number).padStart(2, '0');
}

/** Some minute not longer ago than the window lasts showed its start on the clocks there. */
function isOpenByWalking(
  { days, start, durationMinutes, timeZone }: MaintenanceWindow,
  nowMs: number,
): boolean {
  const clocks = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  for (let back = 0; back < durationMinutes; back += 1) {
    const parts = clocks.formatToParts(nowMs - back * 60_000);
    const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
    const isDay = days.length === 0 || (days as readonly string[]).includes(part('weekday'));
    if (isDay && `${part('hour')}:${part('minute')}` === start) return true;
  }
  return false;
}
