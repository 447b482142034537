/** A mark for the fleet: how much of the GPUs that are paid for the workloads need. */
import type { AuditTotals } from './answer.js';
import type { CardPrices } from './card-prices.js';
import type { Stock } from './stock.js';
import { needed, type WorkloadCost } from './workload-cost.js';

export type Score = Pick<AuditTotals, 'score' | 'letter'>;

const letters = [
  { from: 90, letter: 'A' },
  { from: 75, letter: 'B' },
  { from: 60, letter: 'C' },
  { from: 40, letter: 'D' },
  { from: 0, letter: 'F' },
] as const;

/** Cards weigh as much as they cost, where all of them have a price; a part that is not known counts as needed. */
export function scoreOf({ cards }: Stock, costs: readonly WorkloadCost[], prices: CardPrices): Score {
  const models = new Set([...cards.keys(), ...costs.map((one) => one.cards.after)]);
  const isPriced = [...models].every((model) => prices.of(model) !== null);
  const weight = (model: string | null): number => (isPriced ? (prices.month(model) ?? 1) : 1);
  const paid = [...cards].reduce((sum, [model, gpus]) => sum + gpus * weight(model), 0);
  const used = costs.reduce((sum, one) => sum + needed(one) * weight(one.cards.after), 0);
  const score = paid === 0 ? 100 : Math.min(100, Math.round((100 * used) / paid));
  return { score, letter: letters.find(({ from }) => score >= from)?.letter ?? 'F' };
}
