import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimelineBuilder, type Timeline } from './timeline.js';

const start = 1_763_856_000_000;
const sample = fc.record({ minute: fc.nat(30_000), value: fc.nat(1000) });

function built(samples: readonly { readonly minute: number; readonly value: number }[]): Timeline {
  const builder = new TimelineBuilder();
  for (const { minute, value } of samples) builder.add(start + minute * 60_000, value);
  return builder.finish();
}

describe('a timeline', () => {
  it('has the largest value of each stretch, in any order of the samples', () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1 }), (samples) => {
        const { startMs, stepMs, max } = built(samples);
        expect(max.length).toBeLessThanOrEqual(512);
        const wanted = max.map(() => null as number | null);
        for (const { minute, value } of samples) {
          const index = Math.floor((start + minute * 60_000 - startMs) / stepMs);
          wanted[index] = Math.max(wanted[index] ?? 0, value);
        }
        expect(max).toEqual(wanted);
      }),
    );
  });

  it('merged from parts is the one of all', () => {
    fc.assert(
      fc.property(fc.array(fc.array(sample), { minLength: 1, maxLength: 4 }), (parts) => {
        const joined = new TimelineBuilder();
        for (const part of parts) joined.merge(built(part));
        const whole = built(parts.flat());
        // Parts may have been coarser than all together need, never the other way round.
        expect(joined.finish()).toEqual(whole);
      }),
    );
  });
});
