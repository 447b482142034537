import { describe, expect, it } from 'vitest';
import type { Profile } from '#core/catalogue/model';
import { slotOf, spaceOf, type Space } from '#core/geometry/space';
import { createFleet, takeSlot, type FleetIndex } from '../online/fleet.js';
import { carryOut } from '../online/move.js';
import type { GpuSlot } from '../online/place.js';
import { instancesOf, spaceOfModel } from '../../../../test/support/random-fleet.js';
import { orderMoves } from './order.js';

const space = spaceOfModel('h100-80gb-sxm');

describe('the order of moves', () => {
  it('starts where a place is free, so that each next one finds its own', () => {
    const fleet = fleetOf(['3g.40gb:0', '3g.40gb:4'], ['4g.40gb:0'], []);
    const answer = orderMoves(fleet, {
      leaving: [at(0, '3g.40gb:0'), at(1, '4g.40gb:0')],
      destinations: [at(0, '4g.40gb:0'), at(2, '3g.40gb:4')],
    });
    expect(answer).toEqual({
      steps: [
        { kind: 'move', profile: '3g.40gb', from: { gpu: 0, start: 0 }, to: { gpu: 2, start: 4 } },
        { kind: 'move', profile: '4g.40gb', from: { gpu: 1, start: 0 }, to: { gpu: 0, start: 0 } },
      ],
      detours: 0,
      interrupted: 0,
    });
  });

  const swap = {
    leaving: [at(0, '3g.40gb:0'), at(1, '2g.20gb:0'), at(1, '2g.20gb:2')],
    destinations: [at(0, '2g.20gb:0'), at(0, '2g.20gb:2'), at(1, '3g.40gb:0')],
  };
  const toSwap = [
    ['3g.40gb:0', '3g.40gb:4'],
    ['2g.20gb:0', '2g.20gb:2', '3g.40gb:4'],
  ] as const;

  it('breaks a circle by parking the one instance whose leaving frees a place', () => {
    const answer = orderMoves(fleetOf(...toSwap, ['4g.40gb:0']), swap);
    expect(answer).toMatchObject({ detours: 1, interrupted: 0 });
    expect(answer.steps[0]).toEqual({
      kind: 'move',
      profile: '3g.40gb',
      from: { gpu: 0, start: 0 },
      to: { gpu: 2, start: 4 },
    });
    expect(answer.steps).toHaveLength(4);
  });

  it('stops an instance when there is no parking, and starts it again', () => {
    const answer = orderMoves(fleetOf(...toSwap), swap);
    expect(answer).toMatchObject({ detours: 0, interrupted: 1 });
    expect(answer.steps.map((step) => `${step.kind} ${step.profile}`)).toEqual([
      'stop 3g.40gb',
      'move 2g.20gb',
      'move 2g.20gb',
      'start 3g.40gb',
    ]);
    expect(answer.steps.at(-1)).toMatchObject({ from: { gpu: 0, start: 0 }, to: { gpu: 1, start: 0 } });
  });

  it('does not park where a destination needs the room', () => {
    // The 1g could park beside itself, but the 3g that waits for it to go needs all four units.
    const answer = orderMoves(fleetOf(['3g.40gb:0', '3g.40gb:4'], ['4g.40gb:0', '1g.10gb:4']), {
      leaving: [at(0, '3g.40gb:0'), at(1, '1g.10gb:4')],
      destinations: [at(0, '1g.10gb:0'), at(1, '3g.40gb:4')],
    });
    expect(answer).toMatchObject({ detours: 0, interrupted: 1 });
  });

  it('does not park a capped profile where its kind has a destination', () => {
    const a30 = spaceOfModel('a30-24gb', 'all');
    const answer = orderMoves(
      fleetOn(a30, ['1g.6gb+me:0', '1g.6gb:1', '2g.12gb:2'], ['1g.6gb:0', '2g.12gb:2']),
      {
        leaving: [on(a30, 0, '1g.6gb+me:0'), on(a30, 1, '1g.6gb:0')],
        destinations: [on(a30, 0, '1g.6gb:0'), on(a30, 1, '1g.6gb+me:0')],
      },
    );
    expect(answer).toMatchObject({ detours: 0, interrupted: 1 });
    expect(answer.steps.map((step) => `${step.kind} ${step.profile}`)).toEqual([
      'stop 1g.6gb+me',
      'move 1g.6gb',
      'start 1g.6gb+me',
    ]);
  });

  it('fills a cap only as instances leave', () => {
    const { card } = spaceOfModel('a30-24gb', 'all');
    const twoAllowed = card.profiles.map((one) => (one.name === '1g.6gb+me' ? { ...one, maxCount: 2 } : one));
    const capped = spaceOf({ ...card, profiles: twoAllowed.map(withoutEngines) }, 'all');
    // Two come to GPU 0, which may hold two, before the one there can go to GPU 1, which has two.
    const fleet = fleetOn(capped, ['1g.6gb+me:0'], ['1g.6gb+me:0', '1g.6gb+me:1']);
    const answer = orderMoves(fleet, {
      leaving: [on(capped, 0, '1g.6gb+me:0'), on(capped, 1, '1g.6gb+me:0'), on(capped, 1, '1g.6gb+me:1')],
      destinations: [
        on(capped, 0, '1g.6gb+me:2'),
        on(capped, 0, '1g.6gb+me:3'),
        on(capped, 1, '1g.6gb+me:2'),
      ],
    });
    expect(answer.interrupted).toBe(0);
    // The fleet itself refuses a step that breaks the cap.
    for (const step of answer.steps) if (step.kind === 'move') carryOut(fleet, step);
    expect(instancesOf(fleet)).toEqual(['0/1g.6gb+me:2', '0/1g.6gb+me:3', '1/1g.6gb+me:2']);
  });
});

function withoutEngines(profile: Profile): Profile {
  const engines = { copy: null, decoders: null, encoders: null, jpeg: null, ofa: null };
  return { ...profile, engines };
}

function at(gpu: number, place: string): GpuSlot {
  return on(space, gpu, place);
}

function on(of: Space, gpu: number, place: string): GpuSlot {
  const [profile = '', start] = place.split(':');
  return { gpu, slot: slotOf(of, { profile, start: Number(start) })!.index };
}

function fleetOf(...layouts: readonly (readonly string[])[]): FleetIndex {
  return fleetOn(space, ...layouts);
}

function fleetOn(of: Space, ...layouts: readonly (readonly string[])[]): FleetIndex {
  const fleet = createFleet(of, layouts.length);
  for (const [gpu, layout] of layouts.entries()) {
    for (const place of layout) takeSlot(fleet, gpu, on(of, gpu, place).slot);
  }
  return fleet;
}
