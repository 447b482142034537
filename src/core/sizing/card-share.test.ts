import { expect, it } from 'vitest';
import { card, need } from '../../../test/support/sizing-examples.js';
import { cardShareOf } from './card-share.js';

const h100 = 'h100-80gb-sxm';

it.each([
  [{ compute: { share: 0.2 } }, { compute: 0.2, memory: 0 }],
  [{ memoryMiB: 8155.9 / 1.1 }, { compute: 0, memory: 8156 / 81559 }],
  [
    { compute: { share: 0.5 }, memoryMiB: 10_000 },
    { compute: 0.5, memory: 11_000 / 81559 },
  ],
  [{}, { compute: 1, memory: 1 }],
])('%j takes %j of an H100', (wishes, share) => {
  const answer = cardShareOf(need(wishes), card(h100));
  expect(answer?.compute).toBeCloseTo(share.compute, 12);
  expect(answer?.memory).toBeCloseTo(share.memory, 12);
});

it('a need that the card cannot hold has no share of it', () => {
  expect(cardShareOf(need({ memoryMiB: 80 * 1024 }), card(h100))).toBeNull();
  expect(cardShareOf(need({ compute: { share: 1.1 } }), card(h100))).toBeNull();
  expect(cardShareOf(need({ compute: { share: 0.1, of: 'a100-80gb' } }), card(h100))).toBeNull();
});
