import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Space } from '#core/geometry/space';
import {
  anyFleet,
  anySpace,
  fleetIn,
  instancesOf,
  spaceOfModel,
} from '../../../../test/support/random-fleet.js';
import { adaptiveBuddy } from './adaptive-buddy.js';
import { buddy } from './buddy.js';
import { createFleet, profileIndexOf, takeSlot, type FleetIndex } from './fleet.js';
import { choose, place, type GpuSlot } from './place.js';
import { rank, type Policy, type Ranks } from './policy.js';
import {
  bestFit,
  firstFit,
  fragmentationGradient,
  hami,
  leastFragmentation,
  mostPlacementsLeft,
  worstFit,
} from './published.js';

function everyPolicy(space: Space): readonly Policy[] {
  return [
    buddy(space, { keepOddPairs: false }),
    buddy(space, { keepOddPairs: true }),
    firstFit(),
    bestFit('lowest start'),
    bestFit('highest start'),
    worstFit(),
    hami(space),
    leastFragmentation(space),
    mostPlacementsLeft(space),
    fragmentationGradient(
      space,
      space.profiles.map(() => 1 / space.profiles.length),
    ),
  ];
}

describe('a decision', () => {
  it('is the best by brute force over GPUs and starts, under every policy', () => {
    const withFleet = anySpace.chain((space) => anyFleet(space, { min: 1, max: 12 }));
    fc.assert(
      fc.property(withFleet, fc.nat(), fc.nat(), (fleet, policySeed, profileSeed) => {
        const { space } = fleet.table;
        const policies = everyPolicy(space);
        const policy = policies[policySeed % policies.length]!;
        const profileIndex = profileSeed % space.profiles.length;
        expect(choose(fleet, rank(policy, space), profileIndex)).toEqual(
          chooseSlowly(fleet, policy, profileIndex),
        );
      }),
      { numRuns: 300 },
    );
  });
});

/** GPU by GPU in the order of their numbers, better starts and better GPUs replacing what was found. */
function chooseSlowly(
  { table, stateOf }: FleetIndex,
  policy: Policy,
  profileIndex: number,
): GpuSlot | undefined {
  const { space, states, afterTaking } = table;
  let best: (GpuSlot & { cost: number }) | undefined;
  for (const [gpu, state] of stateOf.entries()) {
    const before = states[state]!;
    const options = space.slotsOfProfile[profileIndex]!.flatMap((slot) => {
      const after = states[afterTaking[state * space.slots.length + slot.index]!];
      return after === undefined ? [] : [{ slot, after }];
    });
    const startCost = ({ slot, after }: (typeof options)[number]): number =>
      policy.startCost(before, slot, after);
    const lowest = Math.min(...options.map(startCost));
    const option = options.find((one) => startCost(one) === lowest);
    if (option === undefined) continue;
    const cost = policy.gpuCost(before, option.slot, option.after);
    if (best === undefined || cost < best.cost) best = { gpu, slot: option.slot.index, cost };
  }
  return best === undefined ? undefined : { gpu: best.gpu, slot: best.slot };
}

describe('on H100 cards', () => {
  const space = spaceOfModel('h100-80gb-sxm');

  it.each([
    [firstFit(), '0/1g.10gb:0 0/2g.20gb:2 0/3g.40gb:4'],
    [bestFit('highest start'), '0/1g.10gb:6 0/2g.20gb:4 0/3g.40gb:0'],
    // HAMi puts 1g and 3g high and the 2g low, so no half is left for the 3g.
    [hami(space), '0/1g.10gb:6 0/2g.20gb:0 1/3g.40gb:4'],
    [worstFit(), '0/1g.10gb:0 1/2g.20gb:0 2/3g.40gb:0'],
    [buddy(space, { keepOddPairs: false }), '0/1g.10gb:6 0/2g.20gb:4 0/3g.40gb:0'],
    [buddy(space, { keepOddPairs: true }), '0/1g.10gb:5 0/2g.20gb:2 1/3g.40gb:4'],
  ])('$name places a 1g, a 2g and a 3g', (policy, expected) => {
    expect(placed(rank(policy, space), ['1g.10gb', '2g.20gb', '3g.40gb'])).toBe(expected);
  });

  it('buddy opens an empty GPU last, and fills the broken half first', () => {
    const ranks = rank(buddy(space, { keepOddPairs: true }), space);
    expect(placed(ranks, ['2g.20gb', '2g.20gb', '2g.20gb', '4g.40gb'])).toBe(
      '0/2g.20gb:0 0/2g.20gb:2 0/2g.20gb:4 1/4g.40gb:0',
    );
  });

  function placed(ranks: Ranks, profiles: readonly string[]): string {
    const fleet = createFleet(space, 3);
    for (const profile of profiles) place(fleet, ranks, profileIndexOf(fleet, profile));
    return instancesOf(fleet).join(' ');
  }
});

describe('the adaptive buddy rule', () => {
  const space = spaceOfModel('h100-80gb-sxm');
  const wide = space.profiles.findIndex((profile) => profile.name === '1g.20gb');
  const narrow = space.profiles.findIndex((profile) => profile.name === '1g.10gb');

  it('keeps the odd pair from a plain 1g until nobody asks for double-memory ones, and again when they do', () => {
    const { ranksFor } = adaptiveBuddy(space);
    expect(startOn(ranksFor(narrow))).toBe(6);
    ranksFor(wide);
    expect(startOn(ranksFor(narrow))).not.toBe(6);
    for (let arrival = 0; arrival < 1000; arrival += 1) ranksFor(narrow);
    expect(startOn(ranksFor(narrow))).toBe(6);
    for (let arrival = 0; arrival < 1000; arrival += 1) ranksFor(arrival % 4 === 0 ? wide : narrow);
    expect(startOn(ranksFor(narrow))).not.toBe(6);
  });

  it('has nothing to switch on a card without odd pairs', () => {
    const { ranksFor } = adaptiveBuddy(spaceOfModel('rtx-pro-6000-blackwell-server'));
    expect(ranksFor(0)).toBe(ranksFor(2));
  });

  /** Where a plain 1g goes on a GPU with a free pair in its broken high half and the odd pair open. */
  function startOn(ranks: Ranks): number {
    const fleet = fleetIn(space, [0]);
    const take = (name: string, start: number): void => {
      const slot = space.slotsOfProfile[profileIndexOf(fleet, name)]!.find((one) => one.start === start);
      takeSlot(fleet, 0, slot!.index);
    };
    take('4g.40gb', 0);
    const choice = choose(fleet, ranks, narrow);
    return space.slots[choice!.slot]!.start;
  }
});
