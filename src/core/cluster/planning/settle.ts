/** From counts to names: which nodes are cut anew and how each GPU of them, and which pod gets a slice where. */
import { groupedBy } from '../grouped-by.js';
import type { ClusterPod } from '../objects.js';
import { isSame, type Counts, type Cut } from './cuts.js';
import type { ClassedUnit, PodClass } from './pod-classes.js';
import type { Decision, PlanProgram } from './program.js';
import { cardOf, type Site } from './sites.js';

/** A node after the plan. */
export interface Place {
  readonly site: number;
  /** `null`: a node that is made. */
  readonly unit: ClassedUnit | null;
  /** What each GPU is cut into; `null`: as it is. */
  readonly cards: readonly Counts[] | null;
  readonly free: Map<string, number>;
}

export interface Seat {
  readonly pod: ClusterPod;
  readonly podClass: PodClass;
  readonly place: Place;
  /** Where it is now; `null`: it pends. */
  readonly from: ClassedUnit | null;
}

export interface Settled {
  readonly places: readonly Place[];
  readonly seats: readonly Seat[];
  readonly leftOut: readonly { readonly pod: ClusterPod; readonly podClass: PodClass }[];
  /** Nodes that are given up: nothing comes in their stead, or another node does. */
  readonly leaving: readonly { readonly unit: ClassedUnit; readonly isReplaced: boolean }[];
}

export type SettleAnswer =
  | { readonly ok: true; readonly settled: Settled }
  /** A running pod finds no node with all that it wants, or these kinds would be cut into what they are. */
  | { readonly ok: false; readonly kinds: readonly number[] };

export function settle(question: PlanProgram, sites: readonly Site[], decision: Decision): SettleAnswer {
  const { kinds, classes } = question;
  const places: Place[] = [];
  const leaving: Settled['leaving'][number][] = [];
  const displaced = new Map<PodClass, { readonly pod: ClusterPod; readonly from: ClassedUnit }[]>();
  const recutAt = new Map<number, ClassedUnit[]>();
  const kindIndex = new Map<ClassedUnit, number>();
  for (const [index, { units, site }] of kinds.entries()) {
    const count = decision.recut[index] ?? 0;
    for (const [order, unit] of units.entries()) {
      if (order >= count) {
        places.push({ site, unit, cards: null, free: new Map(unit.free) });
        continue;
      }
      kindIndex.set(unit, index);
      const list = recutAt.get(site);
      if (list === undefined) recutAt.set(site, [unit]);
      else list.push(unit);
      for (const [podClass, pods] of unit.held) {
        const moving = displaced.get(podClass) ?? [];
        moving.push(...pods.map((pod) => ({ pod, from: unit })));
        displaced.set(podClass, moving);
      }
    }
  }
  const unchanged: number[] = [];
  for (const [index, site] of sites.entries()) {
    const recut = recutAt.get(index) ?? [];
    const supply = {
      cuts: question.sites[index]?.cuts ?? [],
      counts: decision.cuts[index] ?? [],
      empty: decision.emptied[index] ?? 0,
    };
    const bases = [...recut, ...Array.from({ length: decision.rented[index] ?? 0 }, () => null)];
    for (const { unit, cards } of cutsFor(bases, site, supply)) {
      if (unit !== null && cards === 'as it was') unchanged.push(kindIndex.get(unit) ?? -1);
      if (cards === 'as it was') continue;
      const isMade = unit === null || site.style === 'gke';
      if (unit !== null && (cards === 'empty' || isMade))
        leaving.push({ unit, isReplaced: cards !== 'empty' });
      if (cards !== 'empty')
        places.push({ site: index, unit: isMade ? null : unit, cards, free: sumOf(cards) });
    }
  }
  const found = unchanged.length > 0 ? null : seated(classes, places, displaced, decision);
  return found === null
    ? { ok: false, kinds: [...new Set(unchanged)] }
    : { ok: true, settled: { places, leaving, ...found } };
}

interface Supply {
  readonly cuts: readonly Cut[];
  /** Of each cut: cards, or nodes. */
  readonly counts: readonly number[];
  /** Nodes that get none. */
  readonly empty: number;
}

interface CutNode {
  readonly unit: ClassedUnit | null;
  readonly cards: readonly Counts[] | 'empty' | 'as it was';
}

function cutsFor(bases: readonly (ClassedUnit | null)[], site: Site, supply: Supply): readonly CutNode[] {
  const gpus = site.like.gpus ?? 0;
  const nodes = bases.map((unit) => ({ unit, before: unit === null ? null : cardCountsOf(unit, site) }));
  return site.style === 'mixed' && gpus > 1
    ? manyCards(nodes, gpus, supply)
    : oneCutEach(nodes, gpus, supply);
}

interface BareNode {
  readonly unit: ClassedUnit | null;
  readonly before: Counts | null;
}

/** Each node gets one cut, and none what it has: nodes of a kind choose first when they are as many as may be. */
function oneCutEach(
  nodes: readonly BareNode[],
  gpus: number,
  { cuts, counts, empty }: Supply,
): readonly CutNode[] {
  const left = [
    ...cuts.map((cut, index) => ({ cut, kind: kindOf(cut.perCard), count: counts[index] ?? 0 })),
    { cut: null, kind: null, count: empty },
  ];
  const waiting = groupedBy(nodes, ({ before }) => (before === null ? '' : kindOf(before)));
  let total = left.reduce((sum, { count }) => sum + count, 0);
  const isTight = ([kind, alike]: readonly [string, readonly BareNode[]]): boolean => {
    const same = left.reduce((sum, one) => sum + (one.kind === kind ? one.count : 0), 0);
    return kind !== '' && alike.length > 0 && alike.length + same >= total;
  };
  const result: CutNode[] = [];
  for (let count = 0; count < nodes.length; count += 1) {
    const [kind, alike] = [...waiting].find(isTight) ??
      [...waiting].find(([, all]) => all.length > 0) ?? ['', []];
    const node = alike.shift();
    if (node === undefined) break;
    const wants = wantsOf(node.unit);
    let best: { one: (typeof left)[number]; score: number } | undefined;
    for (const one of left) {
      if (one.count === 0 || (kind !== '' && one.kind === kind)) continue;
      const score = homeFor(one.cut?.counts ?? new Map(), wants);
      if (best === undefined || score > best.score) best = { one, score };
    }
    if (best === undefined) {
      result.push({ unit: node.unit, cards: 'as it was' });
      continue;
    }
    best.one.count -= 1;
    total -= 1;
    const { cut } = best.one;
    const cards = cut === null ? 'empty' : Array.from({ length: gpus }, () => cut.perCard);
    result.push({ unit: node.unit, cards });
  }
  return result;
}

function kindOf(card: Counts): string {
  return JSON.stringify([...card].sort());
}

function isCut(cut: Cut | null, before: Counts): boolean {
  return cut !== null && isSame(cut.perCard, before);
}

/** How many of the node's own pods could come back. */
function homeFor(counts: Counts, wants: ReadonlyMap<string, number>): number {
  return [...counts].reduce((sum, [slot, count]) => sum + Math.min(count, wants.get(slot) ?? 0), 0);
}

/** GPUs of which the plan has no use stay as they are; of a node that is made, they become what the first one is. */
function manyCards(
  nodes: readonly BareNode[],
  gpus: number,
  { cuts, counts, empty }: Supply,
): readonly CutNode[] {
  const left = cuts.map((cut, index) => ({ cut, count: counts[index] ?? 0 }));
  return nodes.map(({ unit, before }, order): CutNode => {
    if (order < empty) return { unit, cards: 'empty' };
    const wants = wantsOf(unit);
    const cards: Counts[] = [];
    while (cards.length < gpus) {
      let best: { one: (typeof left)[number]; score: number } | undefined;
      for (const one of left) {
        if (one.count === 0 || (one.cut.unit === 'node' && cards.length > 0)) continue;
        // One GPU changes at least; of the others as many as can stay as they are.
        const stays = isCut(one.cut, before ?? new Map()) ? (cards.length === 0 ? -1000 : 1000) : 0;
        const score = stays + homeFor(one.cut.counts, wants);
        if (best === undefined || score > best.score) best = { one, score };
      }
      if (best === undefined) break;
      best.one.count -= 1;
      const { cut } = best.one;
      for (let card = 0; card < (cut.unit === 'node' ? gpus : 1); card += 1) cards.push(cut.perCard);
    }
    const filler = before ?? cards[0];
    if (filler === undefined) return { unit, cards: 'as it was' };
    while (cards.length < gpus) cards.push(filler);
    const isAsBefore = before !== null && cards.every((card) => isSame(card, before));
    return { unit, cards: isAsBefore ? 'as it was' : cards };
  });
}

function wantsOf(unit: ClassedUnit | null): ReadonlyMap<string, number> {
  const wants = new Map<string, number>();
  for (const [{ slot, count }, pods] of unit?.held ?? [])
    wants.set(slot, (wants.get(slot) ?? 0) + count * pods.length);
  return wants;
}

/** `null`: which GPU has what is not told by the node's counts. */
export function cardCountsOf({ seen }: Pick<ClassedUnit, 'seen'>, site: Site): Counts | null {
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

function sumOf(cards: readonly Counts[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const card of cards) for (const [slot, count] of card) sum.set(slot, (sum.get(slot) ?? 0) + count);
  return sum;
}

interface Waiting {
  readonly pod: ClusterPod;
  readonly from: ClassedUnit | null;
  readonly isRunning: boolean;
}

function seated(
  classes: readonly PodClass[],
  places: readonly Place[],
  displaced: ReadonlyMap<PodClass, readonly { readonly pod: ClusterPod; readonly from: ClassedUnit }[]>,
  decision: Decision,
): Pick<Settled, 'seats' | 'leftOut'> | null {
  const seats: Seat[] = [];
  const leftOut: Settled['leftOut'][number][] = [];
  const finder = new PlaceFinder(places);
  // Several slices of one node are hard to find: those pods choose first.
  const inOrder = classes
    .map((podClass, index) => ({ podClass, index }))
    .sort((a, b) => b.podClass.count - a.podClass.count);
  for (const { podClass, index } of inOrder) {
    const room = new Map(decision.seats[index]);
    const waiting: readonly Waiting[] = [
      ...(displaced.get(podClass) ?? []).map((one) => ({ ...one, isRunning: true })),
      ...podClass.resizing.map((pod) => ({ pod, from: null, isRunning: true })),
      ...podClass.pending.map((pod) => ({ pod, from: null, isRunning: false })),
    ];
    const rest: Waiting[] = [];
    for (const one of waiting) {
      const home = one.from === null ? undefined : finder.at(one.from);
      if (home !== undefined && (room.get(home.site) ?? 0) > 0 && finder.take(home, podClass)) {
        room.set(home.site, (room.get(home.site) ?? 0) - 1);
        seats.push({ pod: one.pod, podClass, place: home, from: one.from });
      } else rest.push(one);
    }
    for (const one of rest) {
      const place = finder.anyOf(room, podClass);
      if (place !== undefined) {
        room.set(place.site, (room.get(place.site) ?? 0) - 1);
        seats.push({ pod: one.pod, podClass, place, from: one.from });
      } else if (one.isRunning) return null;
      else leftOut.push({ pod: one.pod, podClass });
    }
  }
  return { seats: seats.map((seat) => finder.homeAgain(seat)), leftOut };
}

/** Nodes with something free, remembered by site and slot so that no list is gone through twice. */
class PlaceFinder {
  readonly #home = new Map<string, Place>();
  readonly #bySite = new Map<number, Place[]>();
  readonly #next = new Map<string, number>();

  constructor(places: readonly Place[]) {
    for (const place of places) {
      if (place.unit !== null) this.#home.set(place.unit.seen.node.name, place);
      const list = this.#bySite.get(place.site);
      if (list === undefined) this.#bySite.set(place.site, [place]);
      else list.push(place);
    }
  }

  at({ seen }: ClassedUnit): Place | undefined {
    return this.#home.get(seen.node.name);
  }

  /** Where a pod's own node has room for it after all, it need not be another. */
  homeAgain(seat: Seat): Seat {
    const { podClass, from, place } = seat;
    const home = from === null ? undefined : this.at(from);
    if (home === undefined || home === place || !this.take(home, podClass)) return seat;
    place.free.set(podClass.slot, (place.free.get(podClass.slot) ?? 0) + podClass.count);
    return { ...seat, place: home };
  }

  take({ free }: Place, { slot, count }: PodClass): boolean {
    const left = (free.get(slot) ?? 0) - count;
    if (left < 0) return false;
    free.set(slot, left);
    return true;
  }

  anyOf(room: ReadonlyMap<number, number>, podClass: PodClass): Place | undefined {
    for (const [site, count] of room) {
      if (count <= 0) continue;
      const key = `${site}/${podClass.slot}/${podClass.count}`;
      const places = this.#bySite.get(site) ?? [];
      for (let next = this.#next.get(key) ?? 0; next < places.length; next += 1) {
        this.#next.set(key, next);
        const place = places[next];
        if (place !== undefined && this.take(place, podClass)) return place;
      }
    }
    return undefined;
  }
}
