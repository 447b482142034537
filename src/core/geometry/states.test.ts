import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelByKey } from '#core/catalogue/catalogue';
import type { MigModel } from '#core/catalogue/model';
import { allLayouts, anyCard } from '../../../test/support/random-card.js';
import { layoutOf, spaceOf } from './space.js';
import { maximalStates, patternsOf, statesOf } from './states.js';

describe('the layouts of real cards', () => {
  it.each([
    ['h100-80gb-sxm', [], 723, 78, 28],
    ['b200-180gb', [], 723, 78, 28],
    // Without its double-memory 1g, an A100-40 has the 19 layouts of NVIDIA's own figure.
    ['a100-40gb', ['1g.10gb'], 298, 19, 12],
    ['rtx-pro-6000-blackwell-server', [], 26, 5, 4],
    ['a30-24gb', [], 26, 5, 4],
  ])('%s without %j: %i states, %i maximal, %i patterns', (key, without, states, maximal, patterns) => {
    const space = spaceOf(cardWithout(key, without));
    expect(statesOf(space)).toHaveLength(states);
    expect(maximalStates(space)).toHaveLength(maximal);
    expect(patternsOf(space)).toHaveLength(patterns);
  });

  it('keep attribute profiles within maximum counts and engines', () => {
    const space = spaceOf(cardWithout('rtx-pro-6000-blackwell-server', []), 'all');
    const namesOf = statesOf(space).map((state) =>
      layoutOf(space, state.slots).map(({ profile }) => profile),
    );
    // All media engines in one slice leave room for -me slices alone.
    const allMedia = namesOf.filter((names) => names.includes('1g.24gb+me.all'));
    expect(allMedia.length).toBeGreaterThan(1);
    for (const names of allMedia) {
      expect(names.filter((name) => name !== '1g.24gb+me.all').every((name) => name.endsWith('-me'))).toBe(
        true,
      );
    }
    expect(namesOf.some((names) => names.filter((name) => name === '1g.24gb+gfx').length === 4)).toBe(true);
    expect(namesOf.some((names) => names.filter((name) => name === '1g.24gb+me').length > 1)).toBe(false);
  });
});

describe('the layouts of any card', () => {
  const textOf = (layout: readonly { profile: string; start: number }[]): string =>
    layout
      .map(({ profile, start }) => `${profile}:${start}`)
      .sort()
      .join();

  it('are those of brute force', () => {
    fc.assert(
      fc.property(anyCard, (card) => {
        const space = spaceOf(card, 'all');
        const ours = statesOf(space).map((state) => textOf(layoutOf(space, state.slots)));
        expect(ours.toSorted()).toEqual(allLayouts(card).map(textOf).toSorted());
      }),
    );
  });

  it('are maximal when no other layout holds them and more', () => {
    fc.assert(
      fc.property(anyCard, (card) => {
        const space = spaceOf(card, 'all');
        const all = allLayouts(card).map(
          (layout) => new Set(layout.map(({ profile, start }) => `${profile}:${start}`)),
        );
        const maximal = all.filter(
          (one) => !all.some((other) => other.size > one.size && [...one].every((place) => other.has(place))),
        );
        expect(maximalStates(space)).toHaveLength(maximal.length);
      }),
    );
  });

  it('have patterns that cover every layout, none covering another, each realised beside what is taken', () => {
    fc.assert(
      fc.property(anyCard, fc.nat(), (card, pick) => {
        const space = spaceOf(card, 'all');
        const states = statesOf(space);
        const taken = states[pick % states.length]?.slots ?? [];
        const patterns = patternsOf(space, taken);
        const covers = (a: readonly number[], b: readonly number[]): boolean =>
          b.every((count, index) => count <= (a[index] ?? 0));
        for (const state of statesOf(space, taken)) {
          const added = state.counts.map(
            (count, index) => count - taken.filter((slot) => slot.profileIndex === index).length,
          );
          expect(patterns.some(({ counts }) => covers(counts, added))).toBe(true);
        }
        for (const one of patterns) {
          expect(patterns.filter((other) => covers(other.counts, one.counts))).toEqual([one]);
          expect(one.slots.every((slot) => taken.every((other) => (other.mask & slot.mask) === 0))).toBe(
            true,
          );
        }
      }),
    );
  });
});

function cardWithout(key: string, without: readonly string[]): MigModel {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new Error(`${key} is not in the catalogue`);
  return { ...model, profiles: model.profiles.filter(({ name }) => !without.includes(name)) };
}
