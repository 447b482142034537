/** Every legal placement on one GPU model, and the budgets that overlap alone does not express. */
import type { MigModel, Profile } from '../catalogue/model.js';
import { covers, longestGridUnits, type Mask } from './mask.js';
import { placementOf, type Layout, type Placement } from './placement.js';

/** What geometry needs to know of a card: the catalogue has it, and so does the NVML of a card nobody has heard of. */
export type Card = Pick<MigModel, 'key' | 'gridUnits' | 'profiles'>;

/** One legal placement, numbered within its space. */
export interface Slot {
  readonly index: number;
  /** Index into `Space.profiles`. */
  readonly profileIndex: number;
  readonly start: number;
  readonly mask: Mask;
}

/** The profiles under consideration and all their slots. Ordered large to small, so that large ones are placed first. */
export interface Space {
  readonly card: Card;
  readonly profiles: readonly Profile[];
  readonly slots: readonly Slot[];
  readonly slotsOfProfile: readonly (readonly Slot[])[];
  /** True when `profiles` need more than non-overlap: a cap or an engine budget can bind. */
  readonly hasBudgets: boolean;
  /** How many of each engine the card has, in the order of `budgetedEngines`; infinite where unknown. */
  readonly engineBudget: readonly number[];
  /** Engines that one instance of each profile owns, same order; unknown counts as 0, so that it never refuses. */
  readonly engineUse: readonly (readonly number[])[];
}

/** Copy engines are left out: they are shared between small instances, and no layout was ever refused for one. */
export const budgetedEngines = ['decoders', 'encoders', 'jpeg', 'ofa'] as const;

/**
 * The space of a card: its plain profiles, or `all` with attribute profiles (`+me`, `+gfx`, `-me`, `+me.all`).
 * Computed once per card. Throws a RangeError for a grid longer than a mask.
 */
export function spaceOf(card: Card, which: 'plain' | 'all' = 'plain'): Space {
  const known = spaces.get(card.profiles)?.[which];
  if (known !== undefined) return known;
  if (card.gridUnits > longestGridUnits) {
    throw new RangeError(
      `${card.key} has ${card.gridUnits} placement units; Mica handles ${longestGridUnits}`,
    );
  }
  const space = buildSpace(
    card,
    card.profiles.filter((profile) => which === 'all' || profile.attribute === null),
  );
  spaces.set(card.profiles, { ...spaces.get(card.profiles), [which]: space });
  return space;
}

/** The plain space, or the one with attribute profiles where a profile named is one. */
export function spaceFor(card: Card, profileNames: Iterable<string>): Space {
  const plain = spaceOf(card);
  for (const name of profileNames) {
    if (!plain.profiles.some((profile) => profile.name === name)) return spaceOf(card, 'all');
  }
  return plain;
}

/** A space of just the profiles named: fewer patterns where only a few kinds of slices are wanted. */
export function spaceOfOnly(card: Card, profileNames: ReadonlySet<string>): Space {
  return buildSpace(
    card,
    card.profiles.filter((profile) => profileNames.has(profile.name)),
  );
}

/** The slot of a placement; undefined when the card has no such profile or it cannot start there. */
export function slotOf(space: Space, placement: Pick<Placement, 'profile' | 'start'>): Slot | undefined {
  const profileIndex = space.profiles.findIndex((profile) => profile.name === placement.profile);
  return space.slotsOfProfile[profileIndex]?.find((slot) => slot.start === placement.start);
}

/** The profile that a slot is a place for. */
function profileOf(space: Space, slot: Slot): Profile {
  const profile = space.profiles[slot.profileIndex];
  if (profile === undefined) throw new RangeError(`slot ${slot.index} is of another space`);
  return profile;
}

/** Slots as placements in grid order. */
export function layoutOf(space: Space, slots: readonly Slot[]): Layout {
  return [...slots]
    .sort((a, b) => a.start - b.start)
    .map((slot) => placementOf(profileOf(space, slot), slot.start));
}

const spaces = new WeakMap<readonly Profile[], Partial<Record<'plain' | 'all', Space>>>();

function buildSpace(card: Card, unordered: readonly Profile[]): Space {
  const profiles = [...unordered].sort(
    (a, b) => b.sizeUnits - a.sizeUnits || b.computeSlices - a.computeSlices || a.id - b.id,
  );
  const slots: Slot[] = [];
  const slotsOfProfile = profiles.map((profile, profileIndex) =>
    profile.starts.map((start) => {
      const slot = { index: slots.length, profileIndex, start, mask: covers(start, profile.sizeUnits) };
      slots.push(slot);
      return slot;
    }),
  );
  const whole = card.profiles.find(
    (profile) => profile.sizeUnits === card.gridUnits && profile.attribute === null,
  );
  return {
    card,
    profiles,
    slots,
    slotsOfProfile,
    hasBudgets: profiles.some((profile) => profile.attribute !== null),
    engineBudget: budgetedEngines.map((engine) => whole?.engines[engine] ?? Infinity),
    engineUse: profiles.map((profile) => budgetedEngines.map((engine) => profile.engines[engine] ?? 0)),
  };
}
