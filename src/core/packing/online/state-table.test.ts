import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anySpace, spaceOfModel } from '../../../../test/support/random-fleet.js';
import { stateTableOf } from './state-table.js';

describe('the states of a GPU', () => {
  it.each([
    ['h100-80gb-sxm', 'plain', 723],
    ['h100-80gb-sxm', 'all', 2319],
    ['rtx-pro-6000-blackwell-server', 'plain', 26],
    ['rtx-pro-6000-blackwell-server', 'all', 717],
  ] as const)('of %s, %s profiles: %i', (key, which, count) => {
    expect(stateTableOf(spaceOfModel(key, which)).states).toHaveLength(count);
  });

  it('lead to each other by taking and freeing one slot', () => {
    fc.assert(
      fc.property(anySpace, fc.nat(), (space, seed) => {
        const { states, afterTaking, afterFreeing } = stateTableOf(space);
        const from = seed % states.length;
        for (const slot of space.slots) {
          const to = afterTaking[from * space.slots.length + slot.index]!;
          const taken = states[from]!.slots.includes(slot);
          expect(afterFreeing[from * space.slots.length + slot.index]! >= 0).toBe(taken);
          if (to < 0) continue;
          expect(new Set(states[to]!.slots)).toEqual(new Set([...states[from]!.slots, slot]));
          expect(afterFreeing[to * space.slots.length + slot.index]).toBe(from);
        }
      }),
    );
  });

  it('say what begins where', () => {
    fc.assert(
      fc.property(anySpace, fc.nat(), (space, seed) => {
        const { states, slotAtStart } = stateTableOf(space);
        const state = seed % states.length;
        for (let start = 0; start < space.card.gridUnits; start += 1) {
          const here = states[state]!.slots.find((slot) => slot.start === start);
          expect(slotAtStart[state * space.card.gridUnits + start]).toBe(here?.index ?? -1);
        }
      }),
    );
  });
});
