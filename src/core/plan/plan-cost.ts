/** What the machines of a plan cost. */
import { totalCost } from '#core/cost/total-cost';
import type { PlanCost } from './plan.js';
import type { SupplyPool } from './supply.js';

/** `machines`: how many are taken, per pool. */
export function costOfMachines(pools: readonly SupplyPool[], machines: readonly number[]): PlanCost {
  return totalCost(
    pools.map(({ name, usdPerHour, estimate }, index) => {
      return { name, count: machines[index] ?? 0, usdPerHour, estimate };
    }),
  );
}
