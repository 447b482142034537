import { describe, expect, it } from 'vitest';
import type { DrawnGpu } from '#core/audit/answer';
import { cardOf, layoutKey, namedKey, together } from './cards.js';

const h100 = 'h100-80gb-sxm';

function cut(slices: readonly [profile: string, start: number | null, who?: string][]): DrawnGpu {
  return {
    ...{ count: 1, model: h100, gridUnits: 8 },
    slices: slices.map(([profile, start, who]) => ({
      ...{ profile, start, sizeUnits: null },
      workloads: who === undefined ? [] : [who],
    })),
  };
}

describe('cardOf', () => {
  it('stands slices of unknown place around the others, the largest first', () => {
    const card = cardOf(
      cut([
        ['1g.10gb', null],
        ['3g.40gb', null],
        ['2g.20gb', 4],
      ]),
    );
    expect(card.cut).toMatchObject({
      slices: [
        { profile: '3g.40gb', start: 0, sizeUnits: 4 },
        { profile: '2g.20gb', start: 4, sizeUnits: 2 },
        { profile: '1g.10gb', start: 6, sizeUnits: 1 },
      ],
    });
  });

  it('loses no slice where they cannot all have been there at once', () => {
    const card = cardOf(
      cut([
        ['3g.40gb', null],
        ['3g.40gb', 4],
        ['1g.10gb', null],
      ]),
    );
    expect(card.cut).toMatchObject({ gridUnits: 9, slices: [{ start: 0 }, { start: 4 }, { start: 8 }] });
  });

  it('a card without profiles is whole, whoever shares it', () => {
    const slices = [{ profile: null, start: null, sizeUnits: null, workloads: ['a', 'b'] }];
    expect(cardOf({ count: 3, model: null, gridUnits: null, slices })).toEqual({
      ...{ count: 3, model: null },
      cut: { kind: 'whole', workloads: ['a', 'b'] },
    });
  });

  it('a card of tomorrow is drawn in equal parts', () => {
    const { cut: drawn } = cardOf({
      ...cut([
        ['1g', null],
        ['1g', null],
      ]),
      model: 'new',
      gridUnits: null,
    });
    expect(drawn).toMatchObject({ gridUnits: 2, slices: [{ start: 0 }, { start: 1 }] });
  });
});

describe('together', () => {
  const cards = [cut([['3g.40gb', 0, 'a']]), cut([['3g.40gb', 0, 'b']]), cut([['3g.40gb', 0]])].map(cardOf);

  it('by layout, with the names of all; a free slice is another thing', () => {
    const groups = together(cards, layoutKey);
    expect(groups.map(({ count }) => count)).toEqual([2, 1]);
    expect(groups[0]?.cut).toMatchObject({ slices: [{ workloads: ['a', 'b'] }] });
  });

  it('by name', () => {
    expect(together([...cards, ...cards], namedKey).map(({ count }) => count)).toEqual([2, 2, 2]);
  });
});
