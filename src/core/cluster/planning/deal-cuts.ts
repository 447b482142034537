/** Which of the nodes that are cut anew gets which of the cuts, so that as much as can be stays, and pods may come back. */
import { groupedBy } from '../grouped-by.js';
import { cardCountsOf, isSame, slicesOf, sumOf, type Counts, type Cut } from './cuts.js';
import type { ClassedUnit } from './pod-classes.js';
import type { Site } from './sites.js';

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

/** `null`: a machine that is rented. */
export function dealCuts(
  bases: readonly (ClassedUnit | null)[],
  site: Site,
  supply: Supply,
): readonly CutNode[] {
  const gpus = site.like.gpus ?? 0;
  const nodes = bases.map((unit) => ({ unit, card: unit === null ? null : cardCountsOf(unit, site) }));
  return supply.cuts.some(({ unit }) => unit === 'card')
    ? manyCards(nodes, gpus, supply)
    : oneCutEach(nodes, supply);
}

interface BareNode {
  readonly unit: ClassedUnit | null;
  /** How each of its GPUs is cut now; `null`: not known. */
  readonly card: Counts | null;
}

/** Each node gets one cut, and none what it has: nodes of a kind choose first when they are as many as may be. */
function oneCutEach(nodes: readonly BareNode[], { cuts, counts, empty }: Supply): readonly CutNode[] {
  const left = [
    ...cuts.map((cut, index) => ({ cut, kind: kindOf(cut.counts), count: counts[index] ?? 0 })),
    { cut: null, kind: null, count: empty },
  ].filter(({ count }) => count > 0);
  const waiting = groupedBy(nodes, ({ unit }) => (unit === null ? '' : kindOf(slicesOf(unit))));
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
      const staying =
        one.cut?.cards.filter((card) => node.card !== null && isSame(card, node.card)).length ?? 0;
      const score = perGpu * staying + homeFor(one.cut?.counts ?? new Map(), wants);
      if (best === undefined || score > best.score) best = { one, score };
    }
    if (best === undefined) {
      result.push({ unit: node.unit, cards: 'as it was' });
      continue;
    }
    best.one.count -= 1;
    total -= 1;
    result.push({ unit: node.unit, cards: best.one.cut?.cards ?? 'empty' });
  }
  return result;
}

/** A GPU that stays as it is is worth more than any of its pods. */
const perGpu = 1000;

function kindOf(card: Counts): string {
  return JSON.stringify([...card].sort());
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
  return nodes.map(({ unit, card: before }, order): CutNode => {
    if (order < empty) return { unit, cards: 'empty' };
    const wants = wantsOf(unit);
    const cards: Counts[] = [];
    while (cards.length < gpus) {
      let best: { one: (typeof left)[number]; score: number } | undefined;
      for (const one of left) {
        if (one.count === 0 || (one.cut.unit === 'node' && cards.length > 0)) continue;
        // One GPU changes at least; of the others as many as can stay as they are.
        const isStaying = before !== null && one.cut.cards.every((card) => isSame(card, before));
        const stays = isStaying ? (cards.length === 0 ? -perGpu : perGpu) : 0;
        const score = stays + homeFor(one.cut.counts, wants);
        if (best === undefined || score > best.score) best = { one, score };
      }
      if (best === undefined) break;
      best.one.count -= 1;
      cards.push(...best.one.cut.cards);
    }
    const filler = before ?? cards[0];
    if (filler === undefined) return { unit, cards: 'as it was' };
    while (cards.length < gpus) cards.push(filler);
    // Slices that are only dealt out to its GPUs in another way are no change either.
    const isAsBefore = unit !== null && isSame(sumOf(cards), slicesOf(unit));
    return { unit, cards: isAsBefore ? 'as it was' : cards };
  });
}

function wantsOf(unit: ClassedUnit | null): ReadonlyMap<string, number> {
  const wants = new Map<string, number>();
  for (const [{ slot, count }, pods] of unit?.held ?? [])
    wants.set(slot, (wants.get(slot) ?? 0) + count * pods.length);
  return wants;
}
