/** The reader of answers, against JSON.parse and cut into pieces at any place. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NotJson, ResponseReader, TooLarge } from './response.js';

const limits = { skeletonBytes: 100_000, samples: 10_000 };

function read(pieces: readonly Uint8Array[]) {
  const reader = new ResponseReader(limits);
  for (const piece of pieces) reader.push(piece);
  const skeleton = reader.finish();
  const samples = reader.series.map(({ timesMs, values, length }) =>
    Array.from({ length }, (_, index) => [timesMs[index]!, values[index]!]),
  );
  return { skeleton, samples };
}

function cut(text: string, at: readonly number[]): readonly Uint8Array[] {
  const bytes = Buffer.from(text);
  const places = [
    0,
    ...at.map((part) => Math.floor(part * bytes.length)).sort((a, b) => a - b),
    bytes.length,
  ];
  return places.slice(1).map((place, index) => Buffer.from(bytes.subarray(places[index], place)));
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('values', '"values":[', '\\', '"', ']', ''),
);
const value = fc.oneof(
  fc.double(),
  fc.integer({ min: 0, max: 100_000 }),
  fc.double({ min: 0, max: 1, noNaN: true }).map((one) => Math.round(one * 1e6) / 1e6),
  fc.constantFrom(NaN, Infinity, -Infinity, 2 ** 63, 2 ** 64, 5e-324, 1e-22),
);
const sample = fc.tuple(fc.integer({ min: 0, max: 4e12 }), value);
const series = fc.record({ metric: fc.dictionary(text, text), samples: fc.array(sample, { maxLength: 20 }) });

describe('an answer of Prometheus', () => {
  it('is read to the last digit, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(series, { maxLength: 5 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }),
        fc.constantFrom(undefined, 1),
        (all, places, space) => {
          const spelled = (one: number): string => (one === Infinity ? '+Inf' : String(one));
          const result = all.map(({ metric, samples }) => ({
            metric,
            values: samples.map(([ms, one]) => [ms / 1000, spelled(one)]),
          }));
          const json = JSON.stringify(
            { status: 'success', data: { resultType: 'matrix', result } },
            null,
            space,
          );
          const { skeleton, samples } = read(cut(json, places));
          expect(skeleton).toEqual({
            status: 'success',
            data: {
              resultType: 'matrix',
              result: all.map(({ metric }, index) => ({
                metric: JSON.parse(JSON.stringify(metric)),
                values: index,
              })),
            },
          });
          // Prometheus writes no negative zero.
          const plain = (one: number): number => (one === 0 ? 0 : one);
          expect(samples.map((of) => of.map(([ms, one]) => [ms, plain(one!)]))).toEqual(
            all.map((one) => one.samples.map(([ms, figure]) => [ms, plain(figure)])),
          );
        },
      ),
    );
  });

  it('is refused where it breaks off, at every place', () => {
    const whole =
      '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1.5,"2"],[2.5,"3"]]}]}}';
    for (let length = 0; length < whole.length; length += 1)
      expect(() => read([Buffer.from(whole.slice(0, length))]), String(length)).toThrow(NotJson);
    expect(read([Buffer.from(whole)]).samples).toEqual([
      [
        [1500, 2],
        [2500, 3],
      ],
    ]);
  });

  it('is refused where a sample is something else', () => {
    for (const values of ['[1]', '[[1,2]]', '[{"t":1}]', '[[1,"2",3]]', '[[1,"2"'])
      expect(() => read([Buffer.from(`{"values":${values}`)]), values).toThrow(NotJson);
  });

  it('is given up when it is larger than memory is meant for', () => {
    const many = Array.from({ length: 10_001 }, () => '[1,"2"]').join();
    expect(() => read([Buffer.from(`{"values":[${many}]}`)])).toThrow(TooLarge);
    expect(() => read([Buffer.from(`{"a":"${'x'.repeat(100_000)}"}`)])).toThrow(TooLarge);
  });
});
