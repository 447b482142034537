import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinedSpans, mostAtOnce, type Span } from './spans.js';

const span = fc
  .tuple(fc.nat(30), fc.nat(8))
  .map(([startMs, length]): Span => ({ startMs, endMs: startMs + length }));
const isIn = (spans: readonly Span[], timeMs: number) =>
  spans.some(({ startMs, endMs }) => startMs <= timeMs && timeMs <= endMs);
const halves = Array.from({ length: 90 }, (_, index) => index / 2);

describe('spans', () => {
  it('together cover what they cover apart, and gaps that are short enough', () => {
    fc.assert(
      fc.property(fc.array(span), fc.nat(3), (spans, apartMs) => {
        const joined = joinedSpans(spans, apartMs);
        for (const timeMs of halves) if (isIn(spans, timeMs)) expect(isIn(joined, timeMs)).toBe(true);
        for (let index = 1; index < joined.length; index += 1) {
          expect(joined[index]!.startMs - joined[index - 1]!.endMs).toBeGreaterThan(apartMs);
        }
        if (apartMs === 0)
          for (const timeMs of halves) expect(isIn(joined, timeMs)).toBe(isIn(spans, timeMs));
      }),
    );
  });

  it('are counted at the time at which most are there, ends included', () => {
    fc.assert(
      fc.property(fc.array(fc.array(span)), (things) => {
        const counts = halves.map((timeMs) => things.filter((spans) => isIn(spans, timeMs)).length);
        expect(mostAtOnce(things)).toBe(Math.max(...counts));
      }),
    );
  });
});
