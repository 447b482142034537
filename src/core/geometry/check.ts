/** Does this list of profiles fit on one GPU, and where? The question that users ask before they touch a card. */
import { findProfile } from '#core/catalogue/find-profile';
import type { MigModel, Profile } from '#core/catalogue/model';
import { unreachable } from '../errors.js';
import { findBreach, type BudgetBreach } from './budgets.js';
import { overlaps, unitRuns, wholeGrid, type Mask } from './mask.js';
import { asArgument, placementOf, type Layout, type Placement } from './placement.js';
import { openness } from './reach.js';
import { layoutOf, slotOf, spaceFor, type Card, type Slot, type Space } from './space.js';
import { canAdd, stateFrom } from './states.js';

/** A profile by name, anywhere or at a given start. */
export interface Ask {
  readonly profile: string;
  readonly start?: number;
}

/** A model of the catalogue, or a card as its driver describes it. */
export type CheckedCard = Card & Pick<MigModel, 'name'>;

export type LayoutRefusal =
  | { readonly kind: 'unknown-profile'; readonly message: string; readonly instead: readonly string[] }
  | { readonly kind: 'no-room' | 'max-count' | 'engines'; readonly message: string };

export type LayoutAnswer =
  { readonly ok: true; readonly placements: Layout } | { readonly ok: false; readonly why: LayoutRefusal };

/**
 * Finds a place for every ask beside the placements already taken, or says why there is none. The order of the asks
 * changes neither the answer nor the places. Places that leave the most open are preferred.
 */
export function checkLayout(
  model: CheckedCard,
  asks: readonly Ask[],
  taken: readonly Placement[] = [],
): LayoutAnswer {
  const wanted: { profile: Profile; start: number | undefined }[] = [];
  for (const ask of asks) {
    const found = findProfile(model, ask.profile);
    if (!found.ok) return found;
    wanted.push({ profile: found.profile, start: ask.start });
  }
  const space = spaceFor(model, [
    ...wanted.map((one) => one.profile.name),
    ...taken.map((placement) => placement.profile),
  ]);
  const fixed: Placement[] = [...taken];
  const free: Profile[] = [];
  for (const { profile, start } of wanted) {
    if (start === undefined) free.push(profile);
    else fixed.push(placementOf(profile, start));
  }
  const standing = standTogether(space, fixed);
  if (!standing.ok) return standing;
  const breach = findBreach(space, countsOf(space, standing.slots, free));
  if (breach !== undefined) return refuseBreach(model, breach);
  const found = placeAll(space, standing.slots, inSpaceOrder(space, free));
  if (found === undefined) return refuseRoom(model, space, standing.slots, free);
  return {
    ok: true,
    placements: layoutOf(
      space,
      found.filter((slot) => !isTaken(space, slot, taken)),
    ),
  };
}

function standTogether(
  space: Space,
  placements: readonly Placement[],
): { ok: true; slots: readonly Slot[] } | { ok: false; why: LayoutRefusal } {
  const slots: Slot[] = [];
  const inOrder = [...placements].sort((a, b) => a.start - b.start || a.profile.localeCompare(b.profile));
  for (const placement of inOrder) {
    const slot = slotOf(space, placement);
    if (slot === undefined) {
      const starts = space.profiles.find((profile) => profile.name === placement.profile)?.starts ?? [];
      const message = `${placement.profile} cannot start at ${placement.start}; it starts at ${listOf(starts)}`;
      return { ok: false, why: { kind: 'no-room', message } };
    }
    const inTheWay = slots.find((other) => overlaps(other.mask, slot.mask));
    if (inTheWay !== undefined) {
      const other = layoutOf(space, [inTheWay]).map(asArgument).join();
      return {
        ok: false,
        why: { kind: 'no-room', message: `${asArgument(placement)} overlaps ${other}; move one of them` },
      };
    }
    slots.push(slot);
  }
  return { ok: true, slots };
}

/** Depth-first, large profiles first; equal profiles go to ascending slots, so that no arrangement is tried twice. */
function placeAll(
  space: Space,
  standing: readonly Slot[],
  profileIndexes: readonly number[],
): readonly Slot[] | undefined {
  const dead = new Set<string>();
  const place = (slots: readonly Slot[], depth: number): readonly Slot[] | undefined => {
    const profileIndex = profileIndexes[depth];
    if (profileIndex === undefined) return slots;
    const state = stateFrom(space, slots);
    const key = `${depth}/${state.mask}`;
    if (dead.has(key)) return undefined;
    const options = (space.slotsOfProfile[profileIndex] ?? [])
      .filter((slot) => canAdd(space, state, slot))
      .map((slot) => ({ slot, open: openness(space, [...slots, slot]) }))
      .sort((a, b) => b.open - a.open || b.slot.start - a.slot.start);
    for (const { slot } of options) {
      const found = place([...slots, slot], depth + 1);
      if (found !== undefined) return found;
    }
    dead.add(key);
    return undefined;
  };
  const units = profileIndexes.reduce((sum, index) => sum + (space.profiles[index]?.sizeUnits ?? 0), 0);
  return units > space.card.gridUnits ? undefined : place(standing, 0);
}

function inSpaceOrder(space: Space, profiles: readonly Profile[]): readonly number[] {
  return profiles.map((profile) => space.profiles.indexOf(profile)).sort((a, b) => a - b);
}

function countsOf(space: Space, standing: readonly Slot[], free: readonly Profile[]): readonly number[] {
  const counts = [...stateFrom(space, standing).counts];
  for (const index of inSpaceOrder(space, free)) counts[index] = (counts[index] ?? 0) + 1;
  return counts;
}

function isTaken(space: Space, slot: Slot, taken: readonly Placement[]): boolean {
  return taken.some((placement) => slotOf(space, placement) === slot);
}

function refuseBreach(model: CheckedCard, breach: BudgetBreach): LayoutAnswer {
  switch (breach.kind) {
    case 'max-count': {
      const message = `${breach.count} x ${breach.profile} asked, but one ${model.name} holds at most ${breach.maxCount}`;
      return { ok: false, why: { kind: 'max-count', message } };
    }
    case 'engines': {
      const message = `these profiles own ${breach.used} ${breach.engine} engines together, the card has ${breach.budget}`;
      return { ok: false, why: { kind: 'engines', message } };
    }
    default:
      return unreachable(breach);
  }
}

function refuseRoom(
  model: CheckedCard,
  space: Space,
  standing: readonly Slot[],
  free: readonly Profile[],
): LayoutAnswer {
  const { mask } = stateFrom(space, standing);
  const freeMask: Mask = wholeGrid(model.gridUnits) & ~mask;
  const asked = free.map(
    (profile) =>
      `${profile.name} (${profile.sizeUnits} ${profile.sizeUnits === 1 ? 'unit' : 'units'}, starts ${listOf(profile.starts)})`,
  );
  const message = `no arrangement holds ${[...new Set(asked)].join(', ')}${standing.length > 0 ? ' beside what is there' : ''}; free units: ${runsOf(freeMask)}`;
  return { ok: false, why: { kind: 'no-room', message } };
}

function runsOf(mask: Mask): string {
  const runs = unitRuns(mask).map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  return runs.length === 0 ? 'none' : runs.join(', ');
}

function listOf(starts: readonly number[]): string {
  return starts.length <= 1 ? starts.join() : `${starts.slice(0, -1).join(', ')} or ${starts.at(-1)}`;
}
