/** How long one decision takes, by the size of the fleet, on fleets that are nearly full. */
import { spaceOf, type Space } from '#core/geometry/space';
import { adaptiveBuddy } from '#core/packing/online/adaptive-buddy';
import { createFleet, release, takeSlot, type FleetPlace } from '#core/packing/online/fleet';
import { carryOut } from '#core/packing/online/move';
import { choose } from '#core/packing/online/place';
import { repack } from '#core/packing/online/repack';
import { atMost, type Bench, type BenchOptions, type Outcome } from './harness.js';
import { h100 } from './mixes.js';
import { randomFrom } from './random.js';

const seed = 101;
const maxMoves = 4;

export const decision: Bench = {
  name: 'decision',
  about: `time of one decision on H100 fleets in churn (all profiles alike, adaptive buddy, seed ${seed})`,
  run: runDecision,
};

function runDecision({ quick }: BenchOptions): Outcome {
  const decisions = quick ? 20_000 : 100_000;
  const cases = (['plain', 'all'] as const).flatMap((profiles) =>
    [100, 1000, 10_000, 100_000].map((gpus) => ({
      profiles,
      gpus,
      ...churn(spaceOf(h100, profiles), gpus, decisions),
    })),
  );
  const atMost100k = cases.filter(({ gpus }) => gpus === 100_000);
  return {
    rows: cases.map(({ profiles, gpus, placing, repacking, roomMade }) => ({
      profiles,
      gpus,
      'place p50 us': percentile(placing, 0.5).toFixed(2),
      'p99 us': percentile(placing, 0.99).toFixed(2),
      blocked: repacking.length,
      'room made': roomMade,
      'repack p50 us': percentile(repacking, 0.5).toFixed(1),
      'repack p99 us': percentile(repacking, 0.99).toFixed(1),
    })),
    bars: atMost100k.map(({ profiles, placing }) =>
      atMost(`place at 100,000 GPUs, ${profiles} profiles, p99 us`, percentile(placing, 0.99), 10),
    ),
    notes: [
      'A random instance leaves and another arrives; every tenth time one more arrives, so that the fleet stays full.',
      `place: note the arrival, choose, take. repack: the answer when that fails, at most ${maxMoves} moves.`,
      'all: with the attribute profile 1g.10gb+me, 2,319 states; there no closed form says early that the fleet is full.',
    ],
  };
}

interface Times {
  /** Microseconds, ascending. */
  readonly placing: Float64Array;
  readonly repacking: Float64Array;
  /** Blocked arrivals that repacking would have helped. */
  readonly roomMade: number;
}

function churn(space: Space, gpus: number, decisions: number): Times {
  const random = randomFrom(seed);
  const fleet = createFleet(space, gpus);
  const { ranksFor } = adaptiveBuddy(space);
  const live = liveInstances();
  const draw = (): number => random.below(space.profiles.length);
  const arrive = (profileIndex: number): boolean => {
    const choice = choose(fleet, ranksFor(profileIndex), profileIndex);
    if (choice === undefined) return false;
    takeSlot(fleet, choice.gpu, choice.slot);
    live.add({ gpu: choice.gpu, start: space.slots[choice.slot]!.start });
    return true;
  };
  while (arrive(draw()));
  const placing: number[] = [];
  const repacking: number[] = [];
  let roomMade = 0;
  for (let step = 0; step < decisions; step += 1) {
    if (step % 11 !== 10) release(fleet, live.removeAt(random.below(live.count())));
    const profileIndex = draw();
    let started = performance.now();
    const placed = arrive(profileIndex);
    placing.push(1000 * (performance.now() - started));
    if (placed) continue;
    started = performance.now();
    const answer = repack(fleet, ranksFor(profileIndex), profileIndex, { maxMoves });
    repacking.push(1000 * (performance.now() - started));
    if (!answer.ok) continue;
    roomMade += 1;
    for (const move of answer.moves) {
      carryOut(fleet, move);
      live.move(move.from, move.to);
    }
    arrive(profileIndex);
  }
  return {
    placing: Float64Array.from(placing).sort(),
    repacking: Float64Array.from(repacking).sort(),
    roomMade,
  };
}

/** A list to draw from that can be searched by place. */
function liveInstances(): {
  readonly count: () => number;
  readonly add: (place: FleetPlace) => void;
  readonly move: (from: FleetPlace, to: FleetPlace) => void;
  readonly removeAt: (index: number) => FleetPlace;
} {
  const places: FleetPlace[] = [];
  const indexOf = new Map<number, number>();
  const keyOf = ({ gpu, start }: FleetPlace): number => gpu * 32 + start;
  const put = (index: number, place: FleetPlace): void => {
    places[index] = place;
    indexOf.set(keyOf(place), index);
  };
  return {
    count: () => places.length,
    add: (place) => put(places.length, place),
    move: (from, to) => {
      const index = indexOf.get(keyOf(from))!;
      indexOf.delete(keyOf(from));
      put(index, to);
    },
    removeAt: (index) => {
      const gone = places[index]!;
      const last = places.pop()!;
      indexOf.delete(keyOf(gone));
      if (last !== gone) put(index, last);
      return gone;
    },
  };
}

/** Of sorted values. */
function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
