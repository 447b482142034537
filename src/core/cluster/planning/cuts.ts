/** What a node of a site can become: ways of cutting one card, or all of its cards alike. */
import { findMachineType } from '#core/catalogue/machine-types';
import { partitionSizesOf } from '#core/catalogue/gke-partition-sizes';
import { spaceOfOnly } from '#core/geometry/space';
import { patternsOf } from '#core/geometry/states';
import type { PodClass } from './pod-classes.js';
import { cardOf, slotOf, whole, type NodeUnit, type Site } from './sites.js';

export type Counts = ReadonlyMap<string, number>;

export interface Cut {
  /** `card`: of one GPU, any beside it. `node`: of all GPUs of a node. */
  readonly unit: 'card' | 'node';
  /** What the card, or the node, offers then. */
  readonly counts: Counts;
  readonly cards: readonly Counts[];
  /** Of a node all of whose GPUs are cut so. */
  readonly ofNode: Counts;
}

/**
 * Limited to the slices that some pod could use there. `before`: how cards are cut now. Where there are no more than
 * `mostNodes` ways of cutting all GPUs of a node, each is a cut of its own, which says all about the node; of more ways
 * the cards are counted for themselves.
 */
export function cutsOf(
  site: Site,
  index: number,
  classes: readonly PodClass[],
  before: readonly Counts[],
  mostNodes: number,
): readonly Cut[] {
  if (site.style === null) return [];
  const users = classes.filter(({ sites }) => sites.includes(index));
  const { allowed } = site;
  const slots = new Set(users.map(({ slot }) => slot).filter((slot) => allowed?.has(slot) ?? true));
  const model = cardOf(site);
  const gpus = site.like.gpus ?? 0;
  const profiles = new Set(model.profiles.map(({ name }) => name).filter((name) => slots.has(name)));
  const onNode = (perCard: Counts): Cut => nodeOf(Array.from({ length: gpus }, () => perCard));
  const wholeCard: Counts = new Map([[whole, 1]]);
  if (site.style !== 'mixed') {
    const sizes = [...profiles].flatMap((name) => {
      const count = perCardOf(site, name);
      return count === 0 ? [] : [onNode(new Map([[name, count]]))];
    });
    return [...sizes, ...(slots.has(whole) ? [onNode(wholeCard)] : [])];
  }
  const space = spaceOfOnly(model, profiles);
  const cards =
    profiles.size === 0 ? [] : patternsOf(space).map(({ counts }) => namedCounts(counts, space.profiles));
  const kept = before.filter((one) => !cards.some((other) => isSame(one, other)));
  const ways = [...cards, ...kept, ...(slots.has(whole) ? [wholeCard] : [])];
  if (combinations(ways.length, gpus) <= (gpus === 1 ? ways.length : mostNodes))
    return dealt(ways, gpus).map(nodeOf);
  // Pods that want several slices of one node are given nodes of their own kind.
  const wantSeveral = users.filter(({ count, slot }) => count > 1 && slots.has(slot));
  const several = [...new Set(wantSeveral.map(({ slot }) => slot))];
  return [
    ...ways.map((counts): Cut => ({ unit: 'card', counts, cards: [counts], ofNode: times(counts, gpus) })),
    ...several.map((slot) => onNode(slot === whole ? wholeCard : new Map([[slot, perCardOf(site, slot)]]))),
  ];
}

function nodeOf(cards: readonly Counts[]): Cut {
  const counts = sumOf(cards);
  return { unit: 'node', counts, cards, ofNode: counts };
}

/** Ways to deal `kinds` of cards to `places` whose order does not matter. */
function combinations(kinds: number, places: number): number {
  let count = 1;
  for (let place = 1; place <= places; place += 1) count = (count * (kinds + place - 1)) / place;
  return count;
}

function dealt(ways: readonly Counts[], gpus: number): readonly (readonly Counts[])[] {
  if (gpus === 0) return [[]];
  return ways.flatMap((first, index) =>
    dealt(ways.slice(index), gpus - 1).map((others) => [first, ...others]),
  );
}

/** Slices of one size that a card has when it is cut into nothing else; 0: it cannot be. */
function perCardOf(site: Site, name: string): number {
  if (site.style === 'gke') {
    const machine = site.rent?.machineType ?? site.like.machineType;
    const accelerator = machine === null ? null : findMachineType(machine)?.accelerator;
    return accelerator == null ? 0 : (partitionSizesOf(accelerator)[name] ?? 0);
  }
  const patterns = patternsOf(spaceOfOnly(cardOf(site), new Set([name])));
  return Math.max(0, ...patterns.map(({ counts }) => counts[0] ?? 0));
}

function namedCounts(counts: readonly number[], profiles: readonly { readonly name: string }[]): Counts {
  return new Map(
    profiles.flatMap(({ name }, index): [string, number][] => {
      const count = counts[index] ?? 0;
      return count > 0 ? [[name, count]] : [];
    }),
  );
}

function times(counts: Counts, factor: number): Counts {
  return new Map([...counts].map(([slot, count]) => [slot, count * factor]));
}

export function sumOf(cards: readonly Counts[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const card of cards) for (const [slot, count] of card) sum.set(slot, (sum.get(slot) ?? 0) + count);
  return sum;
}

export function isSame(one: Counts, other: Counts): boolean {
  return one.size === other.size && [...one].every(([slot, count]) => other.get(slot) === count);
}

/** What a node offers now, used or not. */
export function slicesOf({ seen }: Pick<NodeUnit, 'seen'>): Counts {
  const slices = new Map<string, number>();
  for (const { profile, allocatable } of seen.offers) {
    const slot = slotOf(profile);
    if (allocatable > 0) slices.set(slot, (slices.get(slot) ?? 0) + allocatable);
  }
  return slices;
}

/** `null`: which GPU has what is not told by the node's counts. */
export function cardCountsOf({ seen }: Pick<NodeUnit, 'seen'>, site: Site): Counts | null {
  const gpus = seen.gpus ?? 0;
  const offers = seen.offers.filter(({ allocatable }) => allocatable > 0);
  if (gpus === 0 || offers.length === 0 || offers.some(({ allocatable }) => allocatable % gpus !== 0))
    return null;
  const card = new Map(offers.map(({ profile, allocatable }) => [profile ?? 'whole', allocatable / gpus]));
  const units = [...card].reduce((sum, [slot, count]) => {
    const profile = cardOf(site).profiles.find(({ name }) => name === slot);
    return sum + count * (profile?.sizeUnits ?? cardOf(site).gridUnits);
  }, 0);
  return units <= cardOf(site).gridUnits ? card : null;
}
