import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyFleet, anySpace, instancesOf, spaceOfModel } from '../../../../test/support/random-fleet.js';
import { fewestCards } from '../../../../test/support/random-card.js';
import { buddy } from './buddy.js';
import { createFleet, profileIndexOf, takeSlot, type FleetIndex } from './fleet.js';
import { carryOut } from './move.js';
import { choose, place } from './place.js';
import { rank } from './policy.js';
import { firstFit } from './published.js';
import { couldHoldOneMore } from './capacity.js';
import { repack } from './repack.js';
import type { MigModel } from '#core/catalogue/model';

const blockedFleet = anySpace
  .chain((space) => fc.tuple(anyFleet(space, { min: 1, max: 6 }), fc.nat(space.profiles.length - 1)))
  .filter(
    ([fleet, profileIndex]) => choose(fleet, rank(firstFit(), fleet.table.space), profileIndex) === undefined,
  );

describe('repacking', () => {
  it('moves few, moves no pinned instance, and makes exactly the room it says, in any order', () => {
    const pins = fc.integer({ min: 0, max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(
        blockedFleet,
        fc.integer({ min: 0, max: 4 }),
        pins,
        fc.boolean(),
        ([fleet, profileIndex], maxMoves, pinned, backwards) => {
          const { space } = fleet.table;
          const ranks = rank(buddy(space, { keepOddPairs: true }), space);
          const mayMove = ({ gpu, start }: { gpu: number; start: number }): boolean =>
            ((pinned >> ((gpu * 5 + start) % 31)) & 1) === 0;
          const before = instancesOf(fleet);
          const answer = repack(fleet, ranks, profileIndex, { maxMoves, mayMove });
          expect(instancesOf(fleet)).toEqual(before);
          if (!answer.ok) return;
          expect(answer.moves.length).toBeLessThanOrEqual(maxMoves);
          expect(answer.moves.every(({ from }) => mayMove(from))).toBe(true);
          for (const move of backwards ? answer.moves.toReversed() : answer.moves) carryOut(fleet, move);
          const slot = space.slotsOfProfile[profileIndex]!.find((one) => one.start === answer.place.start)!;
          takeSlot(fleet, answer.place.gpu, slot.index);
          expect(fleet.counts.reduce((sum, count) => sum + count)).toBe(before.length + 1);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds one move wherever one is enough', () => {
    const spaces = ['h100-80gb-sxm', 'a30-24gb', 'rtx-pro-6000-blackwell-server'].map((key) =>
      spaceOfModel(key),
    );
    const fleets = fc
      .constantFrom(...spaces)
      .chain((space) => fc.tuple(anyFleet(space, { min: 2, max: 4 }), fc.nat(space.profiles.length - 1)))
      .filter(
        ([fleet, profileIndex]) =>
          choose(fleet, rank(firstFit(), fleet.table.space), profileIndex) === undefined,
      );
    fc.assert(
      fc.property(fleets, ([fleet, profileIndex]) => {
        const { space } = fleet.table;
        const answer = repack(fleet, rank(firstFit(), space), profileIndex, { maxMoves: 1 });
        expect(answer.ok).toBe(oneMoveIsEnough(fleet, profileIndex));
      }),
      { numRuns: 300 },
    );
  });

  it('says that a fleet is full exactly when no arrangement holds one more', () => {
    const cards = ['a30-24gb', 'rtx-pro-6000-blackwell-server'].map((key) => spaceOfModel(key));
    const fleets = fc
      .constantFrom(...cards)
      .chain((space) => fc.tuple(anyFleet(space, { min: 1, max: 3 }), fc.nat(space.profiles.length - 1)));
    fc.assert(
      fc.property(fleets, ([fleet, profileIndex]) => {
        const { space } = fleet.table;
        const demand = Object.fromEntries(
          space.profiles.map(({ name }, index) => [
            name,
            fleet.counts[index]! + Number(index === profileIndex),
          ]),
        );
        const fits =
          fewestCards({ ...(space.card as MigModel), profiles: space.profiles }, demand) <= fleet.gpus;
        expect(couldHoldOneMore(fleet, profileIndex)).toBe(fits);
      }),
      { numRuns: 40 },
    );
  });

  it('explains itself', () => {
    const space = spaceOfModel('h100-80gb-sxm');
    const ranks = rank(firstFit(), space);
    const fleet = createFleet(space, 2);
    const index = (name: string): number => profileIndexOf(fleet, name);
    for (const name of ['4g.40gb', '1g.10gb', '1g.10gb', '3g.40gb', '1g.10gb'])
      place(fleet, ranks, index(name));
    expect(instancesOf(fleet).join(' ')).toBe('0/1g.10gb:4 0/1g.10gb:5 0/1g.10gb:6 0/4g.40gb:0 1/3g.40gb:0');
    // GPU 1 has a free high half, but a 4g stands only in the low one.
    expect(repack(fleet, ranks, index('4g.40gb'), { maxMoves: 1 })).toEqual({
      ok: true,
      place: { gpu: 1, start: 0 },
      moves: [{ profile: '3g.40gb', from: { gpu: 1, start: 0 }, to: { gpu: 1, start: 4 } }],
    });
    expect(repack(fleet, ranks, index('4g.40gb'), { maxMoves: 0 })).toMatchObject({
      ok: false,
      why: { kind: 'no-repacking' },
    });
    expect(repack(fleet, ranks, index('7g.80gb'), { maxMoves: 4 })).toMatchObject({
      ok: false,
      why: { kind: 'full', message: '2 GPUs cannot hold one more 7g.80gb, however the others are moved' },
    });
  });
});

/** Tries every instance in every other free place. */
function oneMoveIsEnough(fleet: FleetIndex, profileIndex: number): boolean {
  const { space, states, afterTaking, afterFreeing } = fleet.table;
  const taking = (state: number, slot: number): number =>
    state < 0 ? -1 : afterTaking[state * space.slots.length + slot]!;
  for (const [gpu, state] of fleet.stateOf.entries()) {
    for (const leaving of states[state]!.slots) {
      const left = afterFreeing[state * space.slots.length + leaving.index]!;
      for (const window of space.slotsOfProfile[profileIndex]!) {
        const joined = taking(left, window.index);
        if (joined < 0) continue;
        for (const target of space.slotsOfProfile[leaving.profileIndex]!) {
          if (target === leaving) continue;
          if (taking(joined, target.index) >= 0) return true;
          if (fleet.stateOf.some((other, index) => index !== gpu && taking(other, target.index) >= 0))
            return true;
        }
        const same = leaving.index;
        if (fleet.stateOf.some((other, index) => index !== gpu && taking(other, same) >= 0)) return true;
      }
    }
  }
  return false;
}
