import { describe, expect, it } from 'vitest';
import { madeTimeline } from '../../../test/support/made-observation.js';
import { growthMiBPerDay } from './growth.js';

const noon = (hour: number): number => (hour === 12 ? 1000 : 0);

describe('growth of the peak', () => {
  it.each([
    ['rises by 500 a day', madeTimeline(7, (day, hour) => 8000 + 500 * day + noon(hour)), 500],
    ['rises with small dips', madeTimeline(8, (day) => 8000 + 400 * day - (day === 5 ? 420 : 0)), 385],
    ['rises within two days', madeTimeline(2, (day, hour) => 8000 + 100 * (24 * day + hour)), 2400],
    [
      'rises with a day that is missing',
      madeTimeline(7, (day) => (day === 3 ? null : 8000 + 500 * day)),
      500,
    ],
  ])('%s', (_name, timeline, perDay) => {
    expect(growthMiBPerDay(timeline)).toBeCloseTo(perDay, -1);
  });

  it.each([
    ['is flat, with a daily cycle', madeTimeline(7, (_day, hour) => 8000 + noon(hour))],
    ['rises once', madeTimeline(7, (day) => (day < 4 ? 8000 : 12_000))],
    ['rises and falls', madeTimeline(7, (day) => 8000 + 1000 * (day % 3))],
    ['rises at the end only', madeTimeline(7, (day) => (day < 6 ? 8000 : 15_000))],
    ['rises by next to nothing', madeTimeline(7, (day) => 8000 + 10 * day)],
    ['falls', madeTimeline(7, (day) => 12_000 - 500 * day)],
    ['is too short', { startMs: 0, stepMs: 60_000, max: [1000, 2000, 3000, 4000, 5000] }],
    ['is empty', { startMs: 0, stepMs: 60_000, max: [] }],
  ])('none where it %s', (_name, timeline) => {
    expect(growthMiBPerDay(timeline)).toBeNull();
  });
});
