/** From counts to names: which nodes are cut anew and how each GPU of them, and which pod gets a slice where. */
import type { ClusterPod } from '../objects.js';
import { sumOf } from './cuts.js';
import { dealCuts } from './deal-cuts.js';
import { findSeats } from './find-seats.js';
import type { Place, Settled } from './settled.js';
import type { ClassedUnit, PodClass } from './pod-classes.js';
import type { Decision, PlanProgram } from './program.js';
import type { Site } from './sites.js';

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
    for (const { unit, cards } of dealCuts(bases, site, supply)) {
      if (unit !== null && cards === 'as it was') unchanged.push(kindIndex.get(unit) ?? -1);
      if (cards === 'as it was') continue;
      const isMade = unit === null || site.style === 'gke';
      if (unit !== null && (cards === 'empty' || isMade))
        leaving.push({ unit, isReplaced: cards !== 'empty' });
      if (cards !== 'empty')
        places.push({ site: index, unit: isMade ? null : unit, cards, free: sumOf(cards) });
    }
  }
  const found = unchanged.length > 0 ? null : findSeats(classes, places, displaced, decision);
  return found === null
    ? { ok: false, kinds: [...new Set(unchanged)] }
    : { ok: true, settled: { places, leaving, ...found } };
}
