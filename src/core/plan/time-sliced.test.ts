import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelByKey } from '#core/catalogue/catalogue';
import { cardShareOf } from '#core/sizing/card-share';
import type { Need } from './documents.js';
import { packShared } from './time-sliced.js';

const model = modelByKey('h100-80gb-sxm');

const anyNeed = fc.record({
  count: fc.nat(20),
  memoryMiB: fc.option(fc.integer({ min: 1, max: 70_000 }), { nil: undefined }),
  share: fc.option(fc.constantFrom(0.01, 0.1, 0.25, 0.3, 0.5, 1), { nil: undefined }),
});

describe('time-sliced cards', () => {
  it('are filled as if replicas came one by one, each to the fullest card that holds it', () => {
    fc.assert(
      fc.property(
        fc.array(anyNeed, { maxLength: 6 }),
        fc.option(fc.nat(12), { nil: null }),
        (wanted, cards) => {
          if (model === undefined) throw new Error('no H100');
          const needs = wanted.map(needOf);
          const { shared, unplaced } = packShared(needs, [{ model, cards }], {});
          const total = needs.reduce((sum, { count }) => sum + count, 0);
          const slow = oneByOne(needs, cards ?? Infinity);
          expect(shared).toEqual([{ model: model.key, ...slow }]);
          expect(unplaced).toBe(total - slow.replicas);
        },
      ),
    );
  });
});

/** Shares in thousandths; largest first. */
function oneByOne(needs: readonly Need[], maxCards: number): { cards: number; replicas: number } {
  const cards: { compute: number; memory: number }[] = [];
  const shares = needs.flatMap((need) => {
    const share = model === undefined ? null : cardShareOf(need, model);
    const thousandths = (part: number): number => Math.ceil(part * 1000 - 1e-6);
    return share === null
      ? []
      : Array.from({ length: need.count }, () => ({
          compute: thousandths(share.compute),
          memory: thousandths(share.memory),
        }));
  });
  shares.sort((a, b) => Math.max(b.compute, b.memory) - Math.max(a.compute, a.memory));
  let replicas = 0;
  for (const { compute, memory } of shares) {
    const fitting = cards.filter((card) => card.compute >= compute && card.memory >= memory);
    let [card] = fitting.sort((a, b) => a.compute - b.compute || a.memory - b.memory);
    if (card === undefined && cards.length < maxCards) {
      card = { compute: 1000, memory: 1000 };
      cards.push(card);
    }
    if (card === undefined) continue;
    card.compute -= compute;
    card.memory -= memory;
    replicas += 1;
  }
  return { cards: cards.length, replicas };
}

function needOf(
  { count, memoryMiB, share }: { count: number; memoryMiB: number | undefined; share: number | undefined },
  index: number,
): Need {
  return {
    name: `need-${index}`,
    count,
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
    ...(share === undefined ? {} : { compute: { share } }),
    gpus: 1,
    p2p: false,
    media: false,
    graphics: false,
    isolation: 'hardware',
    priority: 0,
    movable: true,
  };
}
