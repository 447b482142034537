import { describe, expect, it } from 'vitest';
import { machineTypes } from '#core/catalogue/machine-types';
import { defaultPrices } from './default-prices.js';
import { cheapestFor, priceOf } from './price-table.js';
import { priceLists, pricesMissing } from './prices.js';

describe('the default price table', () => {
  it('knows every machine type of the catalogue once', () => {
    const names = defaultPrices.map((machine) => machine.machineType);
    expect(names).toEqual(machineTypes.map((machine) => machine.name));
    expect(new Set(names).size).toBe(names.length);
  });

  it('leaves no listed price out, and lists none twice', () => {
    const listed = priceLists.flatMap((list) => Object.keys(list.usdPerHour));
    expect(new Set(listed).size).toBe(listed.length);
    for (const name of listed) expect(priceOf(defaultPrices, name), name).toMatchObject({ ok: true });
    for (const name of Object.keys(pricesMissing))
      expect(priceOf(defaultPrices, name), name).toMatchObject({ ok: false });
  });

  it.each([
    ['g4-standard-48', 4.5001, false, '2025-10'],
    ['g4-standard-384', 36.0006, false, '2025-10'],
    ['a3-highgpu-8g', 84.94, true, '2026'],
    ['p5.48xlarge', 55.04, false, '2026-07-20'],
    ['g7e.2xlarge', 3.36312, false, '2026-07-20'],
  ])('%s: $%d per hour', (machineType, usdPerHour, estimate, asOf) => {
    expect(priceOf(defaultPrices, machineType)).toMatchObject({ ok: true, usdPerHour, estimate, asOf });
  });

  it.each([
    'a3-ultragpu-8g',
    'a4-highgpu-8g',
    'a4x-highgpu-4g',
    'g4-standard-6',
    'a2-highgpu-2g',
    'p5e.48xlarge',
  ])('%s has no price: a placeholder or a guess is not one', (machineType) => {
    expect(priceOf(defaultPrices, machineType)).toMatchObject({ ok: false, why: { kind: 'unknown-price' } });
  });

  it.each([
    ['rtx-pro-6000-blackwell-server', 'g7e.2xlarge', 3.36312],
    ['h100-80gb-sxm', 'p5.4xlarge', 6.88],
    ['a100-40gb', 'p4d.24xlarge', 2.74470525],
    ['h200-141gb', 'p5en.48xlarge', 7.912],
  ])('%s is cheapest in %s', (model, machineType, usdPerGpuHour) => {
    const answer = cheapestFor(model, defaultPrices);
    expect(answer).toMatchObject({ ok: true, machine: { machineType } });
    if (answer.ok) expect(answer.usdPerGpuHour).toBeCloseTo(usdPerGpuHour, 9);
  });

  it('of the G4 family the one-GPU machine is taken: the family has one price per GPU', () => {
    const g4 = defaultPrices.filter((machine) => machine.machineType.startsWith('g4-'));
    expect(cheapestFor('rtx-pro-6000-blackwell-server', g4)).toMatchObject({
      machine: { machineType: 'g4-standard-48' },
    });
  });

  it('has no price for a GB200', () => {
    expect(cheapestFor('gb200-186gb', defaultPrices)).toMatchObject({ ok: false });
  });
});
