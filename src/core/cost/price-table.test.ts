import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cheapestFor, priceOf, withOverrides, type MachinePrice, type PriceTable } from './price-table.js';

const machine = (
  machineType: string,
  gpus: number,
  usdPerHour: number | null,
  rest: Partial<MachinePrice> = {},
) => ({
  machineType,
  model: 'card-a',
  gpus,
  usdPerHour,
  estimate: false,
  source: 'a list',
  region: 'here',
  asOf: '2026-01',
  ...rest,
});

const table: PriceTable = [
  machine('one', 1, 4.5001),
  machine('four', 4, 18.0003),
  machine('eighth', 0.125, 0.1),
  machine('bare', 8, null, { source: 'only a placeholder was found' }),
  machine('guess', 1, 9, { model: 'card-b', estimate: true }),
];

describe('priceOf', () => {
  it('gives the figure with its source, date and whether it is an estimate', () => {
    expect(priceOf(table, 'guess')).toMatchObject({
      ok: true,
      usdPerHour: 9,
      estimate: true,
      source: 'a list',
      asOf: '2026-01',
    });
  });

  it('a missing price is unknown, with the reason, and never 0', () => {
    const answer = priceOf(table, 'bare');
    expect(answer).toMatchObject({ ok: false, why: { kind: 'unknown-price' } });
    expect(JSON.stringify(answer)).toContain('only a placeholder was found');
  });

  it('a machine type that the table lacks is another refusal', () => {
    expect(priceOf(table, 'nine')).toMatchObject({ ok: false, why: { kind: 'unknown-machine-type' } });
  });
});

describe('cheapestFor', () => {
  it('takes the smaller machine where the prices per GPU differ by rounding alone', () => {
    expect(cheapestFor('card-a', table)).toMatchObject({
      ok: true,
      usdPerGpuHour: 4.5001,
      machine: { machineType: 'one' },
    });
  });

  it('counts per GPU and leaves fractions of a card out', () => {
    const answer = cheapestFor('card-a', [...table, machine('eight', 8, 20)]);
    expect(answer).toMatchObject({
      ok: true,
      usdPerGpuHour: 2.5,
      machine: { machineType: 'eight', gpus: 8 },
    });
  });

  it('says when no price is known', () => {
    expect(cheapestFor('card-c', table)).toMatchObject({ ok: false, why: { kind: 'unknown-price' } });
  });

  it('no machine sells the GPU for less, whatever the order of the table', () => {
    const price = fc.record({
      gpus: fc.integer({ min: 1, max: 8 }),
      usdPerHour: fc.double({ min: 0, max: 99, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(price, { minLength: 1, maxLength: 6 }), (prices) => {
        const some = prices.map(({ gpus, usdPerHour }, index) => machine(`type-${index}`, gpus, usdPerHour));
        const answer = cheapestFor('card-a', some);
        if (!answer.ok) throw new Error(answer.why.message);
        for (const one of some)
          expect(answer.usdPerGpuHour).toBeLessThanOrEqual(((one.usdPerHour ?? 0) / one.gpus) * 1.001);
        expect(cheapestFor('card-a', some.toReversed())).toEqual(answer);
      }),
    );
  });
});

describe('withOverrides', () => {
  it('the figure of the user wins, and is no estimate any more', () => {
    const answer = withOverrides(table, [{ machineType: 'guess', usdPerHour: 7 }]);
    if (!answer.ok) throw new Error(answer.why.message);
    expect(priceOf(answer.table, 'guess')).toMatchObject({
      usdPerHour: 7,
      estimate: false,
      source: 'stated by the user',
      model: 'card-b',
      gpus: 1,
    });
    expect(answer.table).toHaveLength(table.length);
    expect(priceOf(table, 'guess')).toMatchObject({ usdPerHour: 9 });
  });

  it('adds a machine type that nobody knows, given its model and GPUs', () => {
    const answer = withOverrides(table, [{ machineType: 'ours', usdPerHour: 0, model: 'card-a', gpus: 2 }]);
    if (!answer.ok) throw new Error(answer.why.message);
    expect(cheapestFor('card-a', answer.table)).toMatchObject({
      usdPerGpuHour: 0,
      machine: { machineType: 'ours' },
    });
  });

  it.each([
    [{ machineType: 'ours', usdPerHour: 1 }, 'model and gpus'],
    [{ machineType: 'ours', usdPerHour: 1, model: 'card-a' }, 'its gpus'],
  ])('refuses %j, naming what is missing', (override, named) => {
    const answer = withOverrides(table, [override]);
    expect(answer).toMatchObject({ ok: false, why: { kind: 'incomplete-override' } });
    expect(JSON.stringify(answer)).toContain(named);
  });

  it('of two figures for one type the later wins', () => {
    const answer = withOverrides(table, [
      { machineType: 'one', usdPerHour: 1 },
      { machineType: 'one', usdPerHour: 2 },
    ]);
    if (!answer.ok) throw new Error(answer.why.message);
    expect(priceOf(answer.table, 'one')).toMatchObject({ usdPerHour: 2 });
  });
});
