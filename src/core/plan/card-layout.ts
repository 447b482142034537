/** What stands where on one card: over the slices that are there already where it can, the rest as open as can be. */
import { overlaps, type Mask } from '#core/geometry/mask';
import { inGridOrder, type Layout, type Placement } from '#core/geometry/placement';
import { openness } from '#core/geometry/reach';
import { layoutOf, slotOf, spaceFor, type Slot, type Space } from '#core/geometry/space';
import { canAdd, stateFrom, statesOf } from '#core/geometry/states';
import type { CardChoice } from '#core/packing/fleet/choices';
import type { FleetCard, SupplyPool } from './supply.js';

/** Gives each way of cutting to a card: cards with slices first, each to the way that keeps the most of them. */
export function cardsFor(
  cards: readonly FleetCard[],
  ways: readonly CardChoice[],
): readonly { card: FleetCard; choice: CardChoice }[] {
  const left = new Map<CardChoice, number>();
  for (const way of ways) left.set(way, (left.get(way) ?? 0) + 1);
  const given: { card: FleetCard; choice: CardChoice }[] = [];
  const mostCutFirst = cards
    .map((card, order) => ({ card, order }))
    .sort((a, b) => b.card.slices.length - a.card.slices.length || a.order - b.order);
  for (const { card } of mostCutFirst) {
    if (given.length === ways.length) break;
    let best: { choice: CardChoice; kept: number } | undefined;
    for (const [choice, count] of left) {
      const kept = count === 0 ? -1 : keptOf(card, choice);
      if (kept >= 0 && (best === undefined || kept > best.kept)) best = { choice, kept };
      if (card.slices.length === 0 && best !== undefined) break;
    }
    if (best === undefined) break;
    left.set(best.choice, (left.get(best.choice) ?? 0) - 1);
    given.push({ card, choice: best.choice });
  }
  return given;
}

/** Where the slices of a choice stand on a card: over as many free slices of the same profile as possible. */
export function placementsOn(pool: SupplyPool, card: FleetCard, { counts }: CardChoice): Layout {
  if (pool.model.kind !== 'mig') throw new RangeError(`${pool.model.key} cannot be cut`);
  const space = spaceFor(pool.model, [...counts.keys(), ...card.slices.map(({ profile }) => profile)]);
  const cache = arrangements.get(space) ?? new Map<string, Layout>();
  arrangements.set(space, cache);
  const key = JSON.stringify([
    [...counts],
    card.slices.map(({ profile, start, busy }) => [profile, start, busy]),
  ]);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const taken = slotsOf(space, pool.taken);
  const there = new Set(
    slotsOf(
      space,
      card.slices.filter(({ busy }) => !busy),
    ),
  );
  const wanted = space.profiles.map(({ name }) => counts.get(name) ?? 0);
  let best: { added: readonly Slot[]; kept: number; open: number } | undefined;
  for (const state of statesOf(space, taken)) {
    const added = state.slots.slice(taken.length);
    if (!wanted.every((count, index) => count === added.filter((slot) => slot.profileIndex === index).length))
      continue;
    const kept = added.filter((slot) => there.has(slot)).length;
    const open = openness(space, state.slots);
    if (best === undefined || kept > best.kept || (kept === best.kept && open > best.open))
      best = { added, kept, open };
  }
  if (best === undefined) throw new RangeError(`no layout of ${pool.model.key} holds ${key}`);
  const layout = layoutOf(space, best.added);
  cache.set(key, layout);
  return layout;
}

/** The card's layout after the plan: busy slices, those needed, and free ones that are in nobody's way. */
export function withKept(pool: SupplyPool, card: FleetCard, needed: Layout): Layout {
  if (pool.model.kind !== 'mig') return needed;
  const space = spaceFor(
    pool.model,
    [...needed, ...card.slices].map(({ profile }) => profile),
  );
  let slots = [...slotsOf(space, pool.taken), ...slotsOf(space, needed)];
  for (const slot of slotsOf(space, card.slices)) {
    const mask = slots.reduce<Mask>((sum, other) => sum | other.mask, 0);
    if (!overlaps(mask, slot.mask) && canAdd(space, stateFrom(space, slots), slot)) slots = [...slots, slot];
  }
  return inGridOrder(layoutOf(space, slots));
}

function keptOf(card: FleetCard, { counts }: CardChoice): number {
  const there = new Map<string, number>();
  for (const { profile, busy } of card.slices) if (!busy) there.set(profile, (there.get(profile) ?? 0) + 1);
  return [...there].reduce((sum, [profile, count]) => sum + Math.min(count, counts.get(profile) ?? 0), 0);
}

const arrangements = new WeakMap<Space, Map<string, Layout>>();

function slotsOf(space: Space, placements: readonly Pick<Placement, 'profile' | 'start'>[]): readonly Slot[] {
  return placements.flatMap((placement) => slotOf(space, placement) ?? []);
}
