/** Slices that were counted, not placed, on a card that is cut already: as much as possible of what is there stays. */
import { findProfile } from '../catalogue/find-profile.js';
import { checkLayout, type Ask, type CheckedCard, type LayoutAnswer } from '../geometry/check.js';
import { inGridOrder, type Placement } from '../geometry/placement.js';
import { isSamePlace } from './steps.js';

export interface StandingSlice {
  readonly placement: Placement;
  readonly busy: boolean;
}

/**
 * The layout that has every ask, and nothing else. An ask without a start takes over a slice of its profile that is
 * there, before a new place is looked for: busy slices stay first, then as many as can.
 */
export function placeBeside(
  card: CheckedCard,
  asks: readonly Ask[],
  standing: readonly StandingSlice[],
): LayoutAnswer {
  const named: Ask[] = [];
  for (const ask of asks) {
    const found = findProfile(card, ask.profile);
    if (!found.ok) return found;
    named.push({ ...ask, profile: found.profile.name });
  }
  const fixed = named.filter(({ start }) => start !== undefined);
  const free = named.filter(({ start }) => start === undefined);
  const useful = standing.filter(
    ({ placement }) =>
      free.some(({ profile }) => profile === placement.profile) &&
      !fixed.some(({ profile, start }) => start !== undefined && isSamePlace(placement, { profile, start })),
  );
  let answer: LayoutAnswer | undefined;
  for (const kept of choicesOf(useful, free)) {
    const staying = kept.map(({ placement: { profile, start } }) => ({ profile, start }));
    answer = checkLayout(card, [...fixed, ...staying, ...without(free, kept)]);
    if (answer.ok) return { ok: true, placements: inGridOrder(answer.placements) };
  }
  // The last choice keeps nothing, so its reason is about the asks alone.
  return answer ?? { ok: true, placements: [] };
}

/** Every set of slices that the asks could take over, the best first, the empty one last. */
function choicesOf(useful: readonly StandingSlice[], free: readonly Ask[]): readonly StandingSlice[][] {
  const choices: StandingSlice[][] = [[]];
  for (const slice of useful) {
    const { profile } = slice.placement;
    const wanted = free.filter((ask) => ask.profile === profile).length;
    for (const choice of choices.slice()) {
      if (choice.filter(({ placement }) => placement.profile === profile).length < wanted) {
        choices.push([...choice, slice]);
      }
    }
  }
  const busyIn = (choice: readonly StandingSlice[]): number => choice.filter(({ busy }) => busy).length;
  return choices.sort((a, b) => busyIn(b) - busyIn(a) || b.length - a.length);
}

function without(free: readonly Ask[], kept: readonly StandingSlice[]): readonly Ask[] {
  const left = [...free];
  for (const { placement } of kept) {
    left.splice(
      left.findIndex(({ profile }) => profile === placement.profile),
      1,
    );
  }
  return left;
}
