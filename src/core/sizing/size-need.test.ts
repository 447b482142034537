import { describe, expect, it } from 'vitest';
import { defaultPrices } from '#core/cost/default-prices';
import type { PriceTable } from '#core/cost/price-table';
import { card, need } from '../../../test/support/sizing-examples.js';
import { sizeNeed } from './size-need.js';

const gib = 1024;
const rtx = card('rtx-pro-6000-blackwell-server');
const h100 = card('h100-80gb-sxm');
const a100 = card('a100-80gb');
const gb200 = card('gb200-186gb');

const price = (model: string, usdPerHour: number): PriceTable[number] => ({
  machineType: `one-${model}`,
  model,
  gpus: 1,
  usdPerHour,
  estimate: false,
  source: 'a test',
  region: null,
  asOf: null,
});
const prices: PriceTable = [price(rtx.key, 4), price(h100.key, 7)];

describe('sizing on many cards', () => {
  it('20 GiB: an H100 costs more a card, a quarter of it more than a quarter of an RTX PRO 6000', () => {
    const answer = sizeNeed(need({ memoryMiB: 20 * gib }), [h100, rtx], {}, prices);
    expect(answer).toMatchObject({ memoryMiB: 20480, memoryWithHeadroomMiB: 22528, headroom: 0.1 });
    // 20 GiB with a tenth are more than a 1g.20gb gives.
    expect(answer.answers[0]?.choice).toMatchObject({ profile: '3g.40gb', cost: { usdPerHour: 3.5 } });
    expect(answer.answers[1]?.choice).toMatchObject({ profile: '1g.24gb', cost: { usdPerHour: 1 } });
    expect(answer.recommended?.choice).toEqual(answer.answers[1]?.choice);
    expect(answer.recommended?.why).toBe(
      `the cheapest that serves: $1.00/h for a replica, its part of a card at $4.00/h (one-${rtx.key})`,
    );
  });

  it('the cheaper slice wins, not the cheaper card', () => {
    const answer = sizeNeed(need({ memoryMiB: 8 * gib }), [h100, rtx], {}, prices);
    // An eighth of 7 is less than a quarter of 4.
    expect(answer.recommended?.choice).toMatchObject({
      model: h100.key,
      profile: '1g.10gb',
      cost: { usdPerHour: 0.875 },
    });
  });

  it('a card without a price is named, not ranked', () => {
    const answer = sizeNeed(need({ memoryMiB: 8 * gib }), [gb200, h100], {}, prices);
    expect(answer.answers[0]?.choice).toMatchObject({ profile: '1g.23gb', cost: null });
    expect(answer.recommended?.choice.model).toBe(h100.key);
    expect(answer.recommended?.why).toContain('for want of a price: gb200-186gb');
  });

  it('without prices the least memory wins, and it says so', () => {
    const answer = sizeNeed(need({ memoryMiB: 8 * gib }), [rtx, gb200, a100]);
    expect(answer.recommended?.choice).toMatchObject({ model: a100.key, profile: '1g.10gb', cost: null });
    expect(answer.recommended?.why).toContain('no price is known');
  });

  it('whole GPUs cost as many cards', () => {
    const answer = sizeNeed(need({ gpus: 4 }), [h100], {}, prices);
    expect(answer.recommended?.choice).toMatchObject({
      profile: null,
      memoryMiB: 4 * 81559,
      cost: { usdPerHour: 28 },
    });
  });

  it('replicas that share a slice share its price, but only those there are', () => {
    const wishes = { memoryMiB: 7000, isolation: 'shared' } as const;
    const many = sizeNeed(need({ ...wishes, count: 100 }), [rtx], {}, prices).recommended?.choice;
    // Three on a quarter cost each what twelve on the whole card cost: the smaller slice then.
    expect(many).toMatchObject({ profile: '1g.24gb', replicasPerSlice: 3, cost: { usdPerHour: 1 / 3 } });
    const two = sizeNeed(need({ ...wishes, count: 2 }), [rtx], {}, prices).recommended?.choice;
    expect(two).toMatchObject({ profile: '1g.24gb', cost: { usdPerHour: 0.5 } });
    const large = { ...wishes, memoryMiB: 14_000, count: 100 };
    // One of 15400 MiB in a quarter, three in a half, six in the card: 1, 2/3, 4/6.
    expect(sizeNeed(need(large), [rtx], {}, prices).recommended?.choice.profile).toBe('2g.48gb');
  });

  it('nothing serves: every card says why, nothing is recommended', () => {
    const answer = sizeNeed(need({ memoryMiB: 500 * gib }), [h100, rtx], {}, prices);
    expect(answer.recommended).toBeNull();
    expect(answer.answers.map(({ verdict }) => verdict.kind)).toEqual(['none', 'none']);
  });

  it('an estimate is called one', () => {
    const a3 = defaultPrices.filter((machine) => machine.machineType.startsWith('a3-highgpu'));
    expect(sizeNeed(need({ memoryMiB: gib }), [h100], {}, a3).recommended?.why).toMatch(
      /a3-highgpu-1g.*an estimate/,
    );
  });

  it('with the prices that ship, 20 GiB go to a quarter of an RTX PRO 6000', () => {
    const answer = sizeNeed(need({ memoryMiB: 20 * gib }), [h100, a100, rtx], {}, defaultPrices);
    expect(answer.recommended?.choice).toMatchObject({ model: rtx.key, profile: '1g.24gb' });
    expect(answer.recommended?.choice.cost?.usdPerHour).toBeCloseTo(3.36312 / 4, 9);
  });
});
