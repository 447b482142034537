/**
 * The default placer: the buddy rule, with its one switch set by what has been asked for lately. Odd pairs are kept
 * whole while the slices that use them whole are in demand, and opened to others while they are not.
 */
import type { Space } from '#core/geometry/space';
import { buddy, oddPairs } from './buddy.js';
import { rank, type Ranks } from './policy.js';

export interface AdaptiveBuddy {
  /** Notes an arrival and answers with the ranks to place it by. */
  readonly ranksFor: (profileIndex: number) => Ranks;
}

/** Kept whole when at least this many wide slices are asked for per slice that would strand a unit. */
const worthKeeping = 1 / 4;

/** Arrivals after which an arrival counts for 1/e: long against chance, short against a change of the demand. */
const memoryArrivals = 500;

export function adaptiveBuddy(space: Space): AdaptiveBuddy {
  const pairs = oddPairs(space);
  const open = rank(buddy(space, { keepOddPairs: false }), space);
  if (pairs.length === 0) return { ranksFor: () => open };
  const kept = rank(buddy(space, { keepOddPairs: true }), space);
  // Arrivals per profile, the older the lighter. Nothing seen yet counts as demand for both.
  const lately = new Float64Array(space.profiles.length);
  return {
    ranksFor: (profileIndex) => {
      for (let index = 0; index < lately.length; index += 1) lately[index]! *= 1 - 1 / memoryArrivals;
      lately[profileIndex]! += 1;
      const keep = pairs.some(
        ({ slot, usedWholeBy }) => lately[usedWholeBy]! >= worthKeeping * lately[slot.profileIndex]!,
      );
      return keep ? kept : open;
    },
  };
}
