/** What a node of a site can become: ways of cutting one card, or all of its cards alike. */
import { findMachineType } from '#core/catalogue/machine-types';
import { partitionSizesOf } from '#core/catalogue/gke-partition-sizes';
import { spaceOfOnly } from '#core/geometry/space';
import { patternsOf } from '#core/geometry/states';
import type { PodClass } from './pod-classes.js';
import { cardOf, whole, type Site } from './sites.js';

export type Counts = ReadonlyMap<string, number>;

export interface Cut {
  /** `card`: of one GPU, any beside it. `node`: of all GPUs of a node. */
  readonly unit: 'card' | 'node';
  /** What the card, or the node, offers then. */
  readonly counts: Counts;
  readonly perCard: Counts;
}

/** Limited to the slices that some pod could use there. */
export function cutsOf(
  site: Site,
  index: number,
  classes: readonly PodClass[],
  before: readonly Counts[],
): readonly Cut[] {
  if (site.style === null) return [];
  const users = classes.filter(({ sites }) => sites.includes(index));
  const slots = new Set(users.map(({ slot }) => slot));
  const model = cardOf(site);
  const gpus = site.like.gpus ?? 0;
  const profiles = new Set(model.profiles.map(({ name }) => name).filter((name) => slots.has(name)));
  const onNode = (perCard: Counts): Cut => ({ unit: 'node', counts: times(perCard, gpus), perCard });
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
  // Pods that want several slices of one node are given nodes of their own kind.
  const several = [...new Set(users.filter(({ count }) => count > 1).map(({ slot }) => slot))];
  return [
    ...[...cards, ...kept, ...(slots.has(whole) ? [wholeCard] : [])].map((counts): Cut => ({
      unit: 'card',
      counts,
      perCard: counts,
    })),
    ...several.map((slot) => onNode(slot === whole ? wholeCard : new Map([[slot, perCardOf(site, slot)]]))),
  ];
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

export function isSame(one: Counts, other: Counts): boolean {
  return one.size === other.size && [...one].every(([slot, count]) => other.get(slot) === count);
}
