import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainNumber, readTime } from './byte-values.js';

function number(text: string): number {
  const bytes = Buffer.from(`,${text},`);
  return plainNumber(bytes, 1, bytes.length - 1);
}

function time(text: string) {
  const bytes = Buffer.from(`,${text},`);
  return readTime(bytes, 1, bytes.length - 1);
}

describe('numbers', () => {
  it('are the ones that JavaScript reads', () => {
    const digits = fc.stringMatching(/^\d{1,12}(\.\d{0,3})?$/);
    fc.assert(
      fc.property(digits, (text) => {
        expect(number(text)).toBe(Number(text));
      }),
    );
    expect(number('.5')).toBe(0.5);
    expect(number('0.174817')).toBe(0.174817);
    expect(number('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each(['', '.', '-1', '+1', '1e3', '1.2.3', '12 MiB', 'NaN', '9007199254740993', '92233720368547757940'])(
    'are not %j',
    (text) => expect(number(text)).toBeNaN(),
  );
});

describe('times', () => {
  it('are the ones that JavaScript reads', () => {
    const date = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(date, (at) => {
        expect(time(at.toISOString())).toEqual({ timeMs: at.getTime(), isZoneless: false });
        expect(time(String(at.getTime())).timeMs).toBe(at.getTime() < 1e11 ? NaN : at.getTime());
        expect(time(String(Math.floor(at.getTime() / 1000))).timeMs).toBe(
          Math.floor(at.getTime() / 1000) * 1000,
        );
      }),
    );
  });

  it.each([
    ['2026-11-02T08:00:00Z', '2026-11-02T08:00:00Z', false],
    ['2026-11-02 08:00:00', '2026-11-02T08:00:00Z', true],
    ['2026/11/02 08:00:00.123', '2026-11-02T08:00:00.123Z', true],
    ['2026-11-02T08:00', '2026-11-02T08:00:00Z', true],
    ['2026-11-02', '2026-11-02T00:00:00Z', true],
    ['2026-11-02T08:00:00+05:30', '2026-11-02T02:30:00Z', false],
    ['2026-11-02T08:00:00.5-0800', '2026-11-02T16:00:00.500Z', false],
    ['2024-02-29T00:00:00.123456789Z', '2024-02-29T00:00:00.123Z', false],
    ['1700000000.25', '2023-11-14T22:13:20.250Z', false],
    ['1700000000.2512345', '2023-11-14T22:13:20.251Z', false],
    ['2026-11-02 08:00:00 UTC', '2026-11-02T08:00:00Z', false],
    ['2026-11-02 08:00:00 +0100', '2026-11-02T07:00:00Z', false],
  ])('%s is %s', (text, iso, isZoneless) => {
    expect(time(text)).toEqual({ timeMs: Date.parse(iso), isZoneless });
  });

  it.each([
    ...['', 'now', '2026-13-01', '2026-02-29', '2026-11-02T24:00:00Z', '2026-11-02T08:60:00Z'],
    ...[
      '2026-11-02T08:00:00X',
      '2026-11-02T08:00:00Z ',
      '2026-11/02',
      '1e12',
      '12',
      '1999-12-31',
      '2100-01-01',
    ],
    ...[
      '9999999999999',
      '2026-11-02T',
      '2026-11-02T08',
      '20261102',
      '1700000000.2512x45',
      '2026-11-02 08:00:00 CET',
    ],
  ])('%j is none', (text) => expect(time(text).timeMs).toBeNaN());
});
