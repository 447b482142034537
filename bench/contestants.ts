/** Who takes part in the online benchmarks: rules with a fleet to place in, and the reference that repacks for free. */
import type { Space } from '#core/geometry/space';
import { adaptiveBuddy } from '#core/packing/online/adaptive-buddy';
import { buddy } from '#core/packing/online/buddy';
import { couldHoldOneMore } from '#core/packing/online/capacity';
import { createFleet, freeSlot, slotAt, takeSlot } from '#core/packing/online/fleet';
import { carryOut } from '#core/packing/online/move';
import { choose } from '#core/packing/online/place';
import { rank, type Ranks } from '#core/packing/online/policy';
import {
  bestFit,
  firstFit,
  fragmentationGradient,
  hami,
  leastFragmentation,
  mostPlacementsLeft,
  worstFit,
} from '#core/packing/online/published';
import { repack } from '#core/packing/online/repack';

/** One run of a rule. Jobs come by number and profile index. */
export interface Player {
  /** Whether the job got a place. */
  readonly arrive: (job: number, profileIndex: number) => boolean;
  /** Called for jobs that got one. */
  readonly leave: (job: number, profileIndex: number) => void;
  readonly moves: () => number;
}

export interface Contestant {
  readonly name: string;
  readonly enter: (gpus: number, jobs: number) => Player;
}

/** Ours with at most `maxMoves` moves for an arrival that is blocked. It sees nothing but the arrivals. */
export function ours(space: Space, maxMoves: number): Contestant {
  const suffix = maxMoves === 0 ? '' : ` + <= ${maxMoves} move${maxMoves === 1 ? '' : 's'}`;
  return {
    name: `adaptive buddy (ours)${suffix}`,
    enter: (gpus, jobs) => {
      const { ranksFor } = adaptiveBuddy(space);
      return placing(space, gpus, jobs, ranksFor, maxMoves);
    },
  };
}

/** The rules of others, and ours without its switch. `shares`: the true mix, for the rule that needs it. */
export function rivals(space: Space, shares: readonly number[]): readonly Contestant[] {
  return [
    worstFit(),
    firstFit(),
    bestFit('lowest start'),
    bestFit('highest start'),
    hami(space),
    mostPlacementsLeft(space),
    leastFragmentation(space),
    fragmentationGradient(space, shares),
    buddy(space, { keepOddPairs: false }),
  ].map((policy) => {
    const ranks = rank(policy, space);
    return { name: policy.name, enter: (gpus, jobs) => placing(space, gpus, jobs, () => ranks, 0) };
  });
}

/**
 * Admits whatever fits in some arrangement of everything, and repacks at no cost. Not a strict upper bound: a rule that
 * turns large jobs away can serve more of the small ones.
 */
export function freeRepacking(space: Space): Contestant {
  return {
    name: 'reference: admit what fits, repack for free',
    enter: (gpus) => {
      const fleet = createFleet(space, gpus);
      return {
        arrive: (_, profileIndex) => {
          const fits = couldHoldOneMore(fleet, profileIndex);
          if (fits) fleet.counts[profileIndex]! += 1;
          return fits;
        },
        leave: (_, profileIndex) => (fleet.counts[profileIndex]! -= 1),
        moves: () => 0,
      };
    },
  };
}

function placing(
  space: Space,
  gpus: number,
  jobs: number,
  ranksFor: (profileIndex: number) => Ranks,
  maxMoves: number,
): Player {
  const fleet = createFleet(space, gpus);
  const { gridUnits } = space.card;
  const gpuOf = new Int32Array(jobs);
  const startOf = new Uint8Array(jobs);
  const jobAt = new Int32Array(gpus * gridUnits);
  let moves = 0;
  const settle = (job: number, gpu: number, start: number): void => {
    gpuOf[job] = gpu;
    startOf[job] = start;
    jobAt[gpu * gridUnits + start] = job;
  };
  const makeRoom = (ranks: Ranks, profileIndex: number): boolean => {
    const answer = repack(fleet, ranks, profileIndex, { maxMoves });
    if (!answer.ok) return false;
    for (const move of answer.moves) {
      const job = jobAt[move.from.gpu * gridUnits + move.from.start]!;
      carryOut(fleet, move);
      settle(job, move.to.gpu, move.to.start);
    }
    moves += answer.moves.length;
    return true;
  };
  return {
    arrive: (job, profileIndex) => {
      const ranks = ranksFor(profileIndex);
      let choice = choose(fleet, ranks, profileIndex);
      if (choice === undefined && maxMoves > 0 && makeRoom(ranks, profileIndex)) {
        choice = choose(fleet, ranks, profileIndex);
      }
      if (choice === undefined) return false;
      takeSlot(fleet, choice.gpu, choice.slot);
      settle(job, choice.gpu, space.slots[choice.slot]!.start);
      return true;
    },
    leave: (job) => {
      const gpu = gpuOf[job]!;
      freeSlot(fleet, gpu, slotAt(fleet, gpu, startOf[job]!)!);
    },
    moves: () => moves,
  };
}
