import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anySpace, instancesOf, spaceOfModel } from '../../../../test/support/random-fleet.js';
import { buddy } from './buddy.js';
import { createFleet, freeSlot, profileIndexOf, release, takeSlot } from './fleet.js';
import { place } from './place.js';
import { rank } from './policy.js';
import { firstFit } from './published.js';

describe('a fleet', () => {
  it('stays legal and keeps its books through any sequence of placing and releasing', () => {
    const edits = fc.array(fc.tuple(fc.boolean(), fc.nat(), fc.nat()), { maxLength: 60 });
    fc.assert(
      fc.property(
        anySpace,
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        edits,
        (space, gpus, first, run) => {
          const ranks = rank(first ? firstFit() : buddy(space, { keepOddPairs: true }), space);
          const fleet = createFleet(space, gpus);
          const live: { gpu: number; start: number; profile: string }[] = [];
          for (const [arrives, a, b] of run) {
            if (arrives) {
              const profileIndex = a % space.profiles.length;
              const placed = place(fleet, ranks, profileIndex);
              if (placed.ok) {
                live.push({
                  gpu: placed.gpu,
                  start: placed.start,
                  profile: space.profiles[profileIndex]!.name,
                });
              } else {
                expect(roomFor(fleet, profileIndex)).toBe(false);
              }
            } else if (live.length > 0) {
              const [gone] = live.splice(b % live.length, 1);
              expect(release(fleet, gone!)).toEqual({ ok: true, profile: gone!.profile });
            }
            // The states are legal by construction; that they hold exactly what lives means that nothing overlaps.
            expect(instancesOf(fleet)).toEqual(
              live.map((one) => `${one.gpu}/${one.profile}:${one.start}`).sort(),
            );
          }
          for (const [state, lowest] of fleet.lowestIn.entries()) {
            const found = fleet.stateOf.indexOf(state);
            expect(lowest).toBe(found < 0 ? gpus : found);
          }
          for (const [index, { name }] of space.profiles.entries()) {
            expect(fleet.counts[index]).toBe(live.filter((one) => one.profile === name).length);
          }
        },
      ),
    );
  });

  it('refuses to release what is not there, and to take or free what cannot be', () => {
    const space = spaceOfModel('h100-80gb-sxm');
    const fleet = createFleet(space, 2);
    const ranks = rank(firstFit(), space);
    expect(place(fleet, ranks, profileIndexOf(fleet, '3g.40gb'))).toEqual({ ok: true, gpu: 0, start: 0 });
    const empty = { kind: 'nothing-there', message: 'no instance begins at unit 2 of GPU 0' };
    expect(release(fleet, { gpu: 0, start: 2 })).toEqual({ ok: false, why: empty });
    const whole = space.slotsOfProfile[profileIndexOf(fleet, '7g.80gb')]![0]!;
    expect(() => takeSlot(fleet, 0, whole.index)).toThrow(RangeError);
    expect(() => freeSlot(fleet, 1, whole.index)).toThrow(RangeError);
    expect(() => profileIndexOf(fleet, '3g.72gb')).toThrow(RangeError);
  });

  it('says why there is no place', () => {
    const space = spaceOfModel('a30-24gb');
    const fleet = createFleet(space, 1);
    const ranks = rank(firstFit(), space);
    expect(place(fleet, ranks, profileIndexOf(fleet, '1g.6gb')).ok).toBe(true);
    expect(place(fleet, ranks, profileIndexOf(fleet, '4g.24gb'))).toEqual({
      ok: false,
      why: { kind: 'no-room', message: 'no GPU has room for a 4g.24gb' },
    });
  });
});

function roomFor({ table, stateOf }: ReturnType<typeof createFleet>, profileIndex: number): boolean {
  const { slots, slotsOfProfile } = table.space;
  return stateOf.some((state) =>
    slotsOfProfile[profileIndex]!.some((slot) => table.afterTaking[state * slots.length + slot.index]! >= 0),
  );
}
