/** Adding up what machines cost, without hiding a price that is missing or guessed. */
import type { PlanCost } from '#core/plan/plan';

/** Some machines of one kind, or one that the user owns. */
export interface CostItem {
  /** What it is, for the list of missing prices: a machine type or a node's name. */
  readonly name: string;
  readonly count: number;
  /** For one; `null`: not known. */
  readonly usdPerHour: number | null;
  readonly estimate: boolean;
}

/** The sum of what has a price, beside the names of what has none; `null` where nothing that counts has one. */
export function totalCost(items: readonly CostItem[]): PlanCost {
  const counted = items.filter((item) => item.count > 0);
  const isUnknown = (item: CostItem) => item.usdPerHour === null;
  return {
    usdPerHour: counted.length > 0 && counted.every(isUnknown) ? null : knownUsdPerHour(counted),
    estimated: counted.some((item) => !isUnknown(item) && item.estimate),
    unknown: [...new Set(counted.filter(isUnknown).map((item) => item.name))],
  };
}

/** What the items with a price cost together; only honest beside the names of those without. */
export function knownUsdPerHour(items: readonly CostItem[]): number {
  const sum = items.reduce((total, item) => total + item.count * (item.usdPerHour ?? 0), 0);
  // Prices have at most six decimals; the rest is the dust of adding many of them.
  return Math.round(sum * 1e6) / 1e6;
}
