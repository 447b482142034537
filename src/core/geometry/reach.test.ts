import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelByKey } from '#core/catalogue/catalogue';
import { allLayouts, anyCard } from '../../../test/support/random-card.js';
import { countUnits } from './mask.js';
import type { Placement } from './placement.js';
import { reachOf } from './reach.js';
import { layoutOf, slotOf, spaceOf, type Slot, type Space } from './space.js';
import { statesOf } from './states.js';

describe('what a card can still become', () => {
  it('counts capacity, and the unit that a 1g at 6 strands on an H100', () => {
    const space = spaceFor('h100-80gb-sxm');
    const reach = reachOf(space, slots(space, [{ profile: '1g.10gb', start: 6, size: 1 }]));
    expect(reach.strandedMask).toBe(0b1000_0000);
    expect(reach.remaining).toEqual({
      '7g.80gb': 0,
      '4g.40gb': 1,
      '3g.40gb': 1,
      '2g.20gb': 3,
      '1g.20gb': 3,
      '1g.10gb': 6,
    });
  });

  it('sees that two 1g in the middle of an RTX PRO 6000 leave no half', () => {
    const space = spaceFor('rtx-pro-6000-blackwell-server');
    const middle = slots(space, [
      { profile: '1g.24gb', start: 3, size: 3 },
      { profile: '1g.24gb', start: 6, size: 3 },
    ]);
    const reach = reachOf(space, middle);
    expect(reach.remaining).toEqual({ '4g.96gb': 0, '2g.48gb': 0, '1g.24gb': 2 });
    expect([countUnits(reach.freeMask), reach.strandedMask, reach.maximalLayouts]).toEqual([6, 0, 1]);
  });

  it('agrees with brute force', () => {
    fc.assert(
      fc.property(anyCard, fc.nat(), (card, pick) => {
        const space = spaceOf(card, 'all');
        const states = statesOf(space);
        const taken = states[pick % states.length]?.slots ?? [];
        const here = layoutOf(space, taken).map(({ profile, start }) => `${profile}:${start}`);
        const above = allLayouts(card).filter((layout) => {
          const there = new Set(layout.map(({ profile, start }) => `${profile}:${start}`));
          return here.every((place) => there.has(place));
        });
        const reach = reachOf(space, taken);
        for (const { name } of space.profiles) {
          const most = Math.max(
            ...above.map((layout) => layout.filter((place) => place.profile === name).length),
          );
          expect(reach.remaining[name]).toBe(
            most - here.filter((place) => place.startsWith(`${name}:`)).length,
          );
        }
        const addable = above.filter((layout) => layout.length === here.length + 1);
        expect(reach.openSlots).toHaveLength(addable.length);
      }),
    );
  });
});

function spaceFor(key: string): Space {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new Error(`${key} is not in the catalogue`);
  return spaceOf(model);
}

function slots(space: Space, placements: readonly Placement[]): readonly Slot[] {
  return placements.flatMap((placement) => slotOf(space, placement) ?? []);
}
