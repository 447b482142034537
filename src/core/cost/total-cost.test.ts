import { expect, it } from 'vitest';
import { knownUsdPerHour, totalCost } from './total-cost.js';

const priced = { name: 'one', count: 3, usdPerHour: 2, estimate: false };
const guessed = { name: 'two', count: 1, usdPerHour: 10, estimate: true };
const unpriced = { name: 'rack-7', count: 2, usdPerHour: null, estimate: false };

it('adds up counts times prices', () => {
  expect(totalCost([priced, { ...guessed, estimate: false }])).toEqual({
    usdPerHour: 16,
    estimated: false,
    unknown: [],
  });
});

it('one estimate labels the sum', () => {
  expect(totalCost([priced, guessed])).toEqual({ usdPerHour: 16, estimated: true, unknown: [] });
});

it('a missing price is left out of the sum and named once', () => {
  expect(totalCost([priced, unpriced, unpriced])).toEqual({
    usdPerHour: 6,
    estimated: false,
    unknown: ['rack-7'],
  });
});

it('without a single price there is no sum', () => {
  expect(totalCost([unpriced])).toEqual({ usdPerHour: null, estimated: false, unknown: ['rack-7'] });
});

it('what is not used does not count, whatever is known of it', () => {
  const unused = { count: 0 };
  const cost = totalCost([priced, { ...unpriced, ...unused }, { ...guessed, ...unused }]);
  expect(cost).toEqual({ usdPerHour: 6, estimated: false, unknown: [] });
});

it('a machine that costs nothing is a known price', () => {
  expect(totalCost([{ ...unpriced, usdPerHour: 0 }])).toEqual({
    usdPerHour: 0,
    estimated: false,
    unknown: [],
  });
  expect(totalCost([])).toEqual({ usdPerHour: 0, estimated: false, unknown: [] });
});

it('the known part can be had beside the names of the unknown', () => {
  expect(knownUsdPerHour([priced, unpriced, guessed])).toBe(16);
});
