/** Rules beside overlap: how often a profile may stand on one GPU, and the engines that instances share out. */
import { budgetedEngines, type Space } from './space.js';

/** Why a set of instances is illegal although nothing overlaps. */
export type BudgetBreach =
  | {
      readonly kind: 'max-count';
      readonly profile: string;
      readonly count: number;
      readonly maxCount: number;
    }
  | {
      readonly kind: 'engines';
      readonly engine: (typeof budgetedEngines)[number];
      readonly used: number;
      readonly budget: number;
    };

/**
 * The first rule that the counts break, by profile index of the space; undefined: none. For plain profiles
 * non-overlap implies both rules, so they are only looked at where attribute profiles are in the space.
 */
export function findBreach(space: Space, counts: readonly number[]): BudgetBreach | undefined {
  for (const [index, profile] of space.profiles.entries()) {
    const count = counts[index] ?? 0;
    if (count > profile.maxCount) {
      return { kind: 'max-count', profile: profile.name, count, maxCount: profile.maxCount };
    }
  }
  if (!space.hasBudgets) return undefined;
  for (const [engineIndex, engine] of budgetedEngines.entries()) {
    const budget = space.engineBudget[engineIndex] ?? Infinity;
    const used = enginesUsed(space, counts, engineIndex);
    if (used > budget) return { kind: 'engines', engine, used, budget };
  }
  return undefined;
}

function enginesUsed(space: Space, counts: readonly number[], engineIndex: number): number {
  return counts.reduce((sum, count, index) => sum + count * (space.engineUse[index]?.[engineIndex] ?? 0), 0);
}
