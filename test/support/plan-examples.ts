/** What tests of whole plans start from: made-up prices, needs by name, and the solver. */
import { loadSolver } from '#adapters/highs/solver';
import type { PriceTable } from '#core/cost/price-table';
import type { Fleet, Need } from '#core/plan/documents';
import { makePlan } from '#core/plan/make-plan';
import { plainNeed } from '#core/plan/plain-need';
import type { Plan } from '#core/plan/plan';

export const prices: PriceTable = [
  priced('rtx-1', 'rtx-pro-6000-blackwell-server', 1, 4.5),
  priced('rtx-8', 'rtx-pro-6000-blackwell-server', 8, 34),
  priced('h100-1', 'h100-80gb-sxm', 1, 7),
  priced('h100-8', 'h100-80gb-sxm', 8, 55),
  priced('a30-4', 'a30-24gb', 4, 3),
  { ...priced('h200-8', 'h200-141gb', 8, 0), usdPerHour: null },
];

export type PlanOf = (fleet: Fleet, needs: readonly Need[], uniform?: boolean) => Plan;

export async function loadPlanOf(): Promise<PlanOf> {
  const { solve } = await loadSolver();
  return (fleet, needs, uniform = false) => {
    const answer = makePlan({ fleet, needs, prices, solve, uniform });
    if (!answer.ok) throw new Error(answer.why.message);
    return answer.plan;
  };
}

export function need(name: string, count: number, rest: Partial<Need> = {}): Need {
  return { ...plainNeed(name), count, ...rest };
}

function priced(machineType: string, model: string, gpus: number, usdPerHour: number): PriceTable[number] {
  return {
    machineType,
    model,
    gpus,
    usdPerHour,
    estimate: false,
    source: 'made up for this test',
    region: null,
    asOf: null,
  };
}

/** The most sizes that one machine has, whole cards being one. */
export function sizesPerNode(plan: Plan): number {
  const sizes = new Map<string, Set<string>>();
  for (const { node, mig, placements } of plan.layouts) {
    const here = sizes.get(node) ?? new Set<string>();
    for (const { profile } of placements) here.add(profile);
    if (!mig) here.add('whole');
    sizes.set(node, here);
  }
  return Math.max(0, ...[...sizes.values()].map((here) => here.size));
}
