import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import { slotOf, type Space } from '#core/geometry/space';
import { statesOf } from '#core/geometry/states';
import { createFleet, freeSlot, takeSlot, type FleetIndex, type FleetPlace } from '../online/fleet.js';
import {
  anyFleet,
  anySpace,
  fleetIn,
  instancesOf,
  spaceOfModel,
} from '../../../../test/support/random-fleet.js';
import type { Solve } from '../linear-program.js';
import { compact, type Compaction } from './compact.js';
import type { CompactionStep } from './order.js';

let solve: Solve;
beforeAll(async () => {
  ({ solve } = await loadSolver());
});

const tight = anySpace.chain((space) => anyFleet(space, { min: 1, max: 6 }));

describe('compaction', () => {
  it('has steps that can be carried out one by one, and loses and invents nothing', () => {
    fc.assert(
      fc.property(tight, fc.nat(), (fleet, pins) => {
        const mayMove = pins % 3 === 0 ? undefined : pinnedBy(pins);
        const answer = planned(compact(fleet, { solve, ...(mayMove === undefined ? {} : { mayMove }) }));
        const { after, moved } = carryOutAll(fleet, answer.steps);
        expect(profilesOf(after)).toEqual(profilesOf(fleet));
        expect(usedIn(fleet)).toBe(answer.gpusBefore);
        expect(usedIn(after)).toBe(answer.gpusAfter);
        expect(answer.emptied).toEqual(
          [...fleet.stateOf.keys()].filter((gpu) => fleet.stateOf[gpu] !== 0 && after.stateOf[gpu] === 0),
        );
        expect(moved).toBe(answer.moved);
        const kindsOfSteps = (kind: string): number =>
          answer.steps.filter((step) => step.kind === kind).length;
        expect(kindsOfSteps('stop')).toBe(answer.interrupted);
        expect(kindsOfSteps('move') + kindsOfSteps('start')).toBe(answer.moved + answer.detours);
        if (mayMove === undefined) return;
        const standing = new Set(instancesOf(after));
        for (const name of instancesOf(fleet)) if (!mayMove(placeIn(name))) expect(standing).toContain(name);
      }),
      { numRuns: 150 },
    );
  });

  it('uses the fewest GPUs and moves the fewest instances, by brute force', () => {
    const small = [
      { space: spaceOfModel('h100-80gb-sxm'), gpus: 2 },
      { space: spaceOfModel('rtx-pro-6000-blackwell-server'), gpus: 3 },
      { space: spaceOfModel('a30-24gb', 'all'), gpus: 2 },
    ];
    const fleets = fc
      .constantFrom(...small)
      .chain(({ space, gpus }) => anyFleet(space, { min: gpus, max: gpus }));
    fc.assert(
      fc.property(fleets, fc.option(fc.nat()), (fleet, pins) => {
        const mayMove = pins === null ? undefined : pinnedBy(pins);
        const answer = planned(compact(fleet, { solve, ...(mayMove === undefined ? {} : { mayMove }) }));
        const best = bestByBruteForce(fleet, mayMove ?? (() => true));
        expect({ gpus: answer.gpusAfter, moved: answer.moved }).toEqual(best);
        expect(answer.movedBound).toBeLessThanOrEqual(best.moved + 1e-6);
      }),
      { numRuns: 80 },
    );
  });

  it('moves nothing that need not move when more GPUs may stay in use', () => {
    fc.assert(
      fc.property(tight, (fleet) => {
        const answer = planned(compact(fleet, { solve, gpus: usedIn(fleet) }));
        expect(answer).toMatchObject({ moved: 0, steps: [], emptied: [], gpusAfter: usedIn(fleet) });
      }),
      { numRuns: 50 },
    );
  });

  it('gives away the instances that leave the right room', () => {
    // Of three 1g the two on the full pair must go, since the 2g stands nowhere else.
    const fleet = fleetOf('h100-80gb-sxm', [
      ['4g.40gb:0', '1g.10gb:4', '1g.10gb:5', '1g.10gb:6'],
      ['2g.20gb:0'],
      ['3g.40gb:0', '2g.20gb:4'],
      ['3g.40gb:0', '2g.20gb:4'],
    ]);
    const answer = planned(compact(fleet, { solve, mayMove: ({ gpu }) => gpu < 2 }));
    expect(answer).toMatchObject({ gpusAfter: 3, emptied: [1], moved: 3 });
    expect(answer.steps.at(-1)).toMatchObject({
      profile: '2g.20gb',
      from: { gpu: 1, start: 0 },
      to: { gpu: 0, start: 4 },
    });
  });

  it('refuses fewer GPUs than what is there needs', () => {
    const fleet = fleetOf('h100-80gb-sxm', [['4g.40gb:0'], ['4g.40gb:0']]);
    expect(compact(fleet, { solve, gpus: 1 })).toEqual({
      ok: false,
      why: {
        kind: 'too-few-gpus',
        fewest: 2,
        message: 'what is there needs 2 GPUs, however it is moved; 1 were asked for',
      },
    });
  });
});

function planned(answer: Compaction): Extract<Compaction, { ok: true }> {
  if (!answer.ok) throw new Error(answer.why.message);
  return answer;
}

function pinnedBy(seed: number): (place: FleetPlace) => boolean {
  return ({ gpu, start }) => ((seed >> ((gpu * 5 + start) % 31)) & 1) === 0;
}

function usedIn(fleet: FleetIndex): number {
  return fleet.stateOf.filter((state) => state !== 0).length;
}

function profilesOf(fleet: FleetIndex): readonly string[] {
  return instancesOf(fleet)
    .map((name) => name.replace(/^.*\/|:.*$/g, ''))
    .sort();
}

function placeIn(name: string): FleetPlace {
  const [gpu, , start] = name.split(/[/:]/);
  return { gpu: Number(gpu), start: Number(start) };
}

/** Does the steps on a copy, which refuses an illegal one; instances keep their identity, so that moves can be counted. */
function carryOutAll(
  fleet: FleetIndex,
  steps: readonly CompactionStep[],
): { after: FleetIndex; moved: number } {
  const { space } = fleet.table;
  const after = fleetIn(space, [...fleet.stateOf]);
  const cameFrom = new Map(instancesOf(fleet).map((name) => [name, name]));
  const stopped = new Map<string, string>();
  const nameOf = (profile: string, { gpu, start }: FleetPlace): string => `${gpu}/${profile}:${start}`;
  const indexOf = (profile: string, { start }: FleetPlace): number =>
    slotOf(space, { profile, start })!.index;
  for (const step of steps) {
    const { profile, from } = step;
    const here = nameOf(profile, from);
    const origin = step.kind === 'start' ? stopped.get(here) : cameFrom.get(here);
    expect(origin).toBeDefined();
    if (step.kind !== 'stop') {
      takeSlot(after, step.to.gpu, indexOf(profile, step.to));
      cameFrom.set(nameOf(profile, step.to), origin!);
    }
    if (step.kind === 'start') stopped.delete(here);
    else {
      freeSlot(after, from.gpu, indexOf(profile, from));
      cameFrom.delete(here);
    }
    if (step.kind === 'stop') stopped.set(here, origin!);
  }
  expect(stopped.size).toBe(0);
  return { after, moved: [...cameFrom].filter(([now, origin]) => now !== origin).length };
}

/** Tries every combination of states that holds the same instances and keeps the pinned ones. */
function bestByBruteForce(
  fleet: FleetIndex,
  mayMove: (place: FleetPlace) => boolean,
): { gpus: number; moved: number } {
  const { space } = fleet.table;
  const states = statesOf(space);
  let best = { gpus: Infinity, moved: Infinity };
  const search = (gpu: number, left: readonly number[], gpus: number, moved: number): void => {
    if (gpus > best.gpus || (gpus === best.gpus && moved >= best.moved)) return;
    if (gpu === fleet.gpus) {
      if (left.every((count) => count === 0)) best = { gpus, moved };
      return;
    }
    const now = states[fleet.stateOf[gpu]!]!.slots;
    for (const state of states) {
      const rest = left.map((count, index) => count - state.counts[index]!);
      if (rest.some((count) => count < 0)) continue;
      const gone = now.filter((slot) => !state.slots.includes(slot));
      if (gone.some((slot) => !mayMove({ gpu, start: slot.start }))) continue;
      search(gpu + 1, rest, gpus + Number(state.slots.length > 0), moved + gone.length);
    }
  };
  search(0, [...fleet.counts], 0, 0);
  return best;
}

function fleetOf(model: string, layouts: readonly (readonly string[])[]): FleetIndex {
  const space: Space = spaceOfModel(model);
  const fleet = createFleet(space, layouts.length);
  for (const [gpu, layout] of layouts.entries()) {
    for (const place of layout) {
      const [profile = '', start] = place.split(':');
      takeSlot(fleet, gpu, slotOf(space, { profile, start: Number(start) })!.index);
    }
  }
  return fleet;
}
