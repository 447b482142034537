/** Cards by model with their monthly price, and what going from one fleet to another saves. */
import type { AuditTotals, GpuCount } from './answer.js';
import type { AuditSetting } from './options.js';
import type { DrawnCard } from './place-demands.js';
import type { Stock } from './stock.js';

export type Savings = Pick<AuditTotals, 'gpus' | 'usdPerMonth' | 'unpriced' | 'byModel'>;

export function savingsOf(stock: Stock, after: readonly DrawnCard[], setting: AuditSetting): Savings {
  const counts = new Map<string | null, number>();
  for (const { model } of after) counts.set(model, (counts.get(model) ?? 0) + 1);
  const byModel = { now: priced(stock.cards, setting), after: priced(counts, setting) };
  const [gpusNow, gpusAfter] = [byModel.now, byModel.after].map((list) =>
    list.reduce((sum, { gpus }) => sum + gpus, 0),
  ) as [number, number];
  return {
    gpus: { now: gpusNow, after: gpusAfter, freed: Math.max(0, gpusNow - gpusAfter) },
    usdPerMonth: usdOf(byModel, setting),
    unpriced: unpricedOf(byModel, stock),
    byModel,
  };
}

function priced(counts: ReadonlyMap<string | null, number>, { prices }: AuditSetting): readonly GpuCount[] {
  return [...counts]
    .filter(([, gpus]) => gpus > 0)
    .sort(
      ([a, x], [b, y]) =>
        Number(a === null) - Number(b === null) || y - x || ((a ?? '') < (b ?? '') ? -1 : 1),
    )
    .map(([model, gpus]) => {
      const month = prices.month(model);
      return { model, gpus, usdPerMonth: month === null ? null : cents(month * gpus) };
    });
}

/** Moving from cards without a price to cards with one would read as a loss, so nothing is said of money then. */
function usdOf({ now, after }: Savings['byModel'], { target }: AuditSetting): Savings['usdPerMonth'] {
  const known = (list: readonly GpuCount[]): boolean => list.some(({ usdPerMonth }) => usdPerMonth !== null);
  const all = (list: readonly GpuCount[]): boolean => list.every(({ usdPerMonth }) => usdPerMonth !== null);
  if (!known(now) || (target !== null && !(all(now) && all(after)))) return null;
  const [usdNow, usdAfter] = [now, after].map((list) =>
    list.reduce((sum, { usdPerMonth }) => sum + (usdPerMonth ?? 0), 0),
  ) as [number, number];
  return { now: cents(usdNow), after: cents(usdAfter), saved: cents(usdNow - usdAfter) };
}

function unpricedOf({ now, after }: Savings['byModel'], stock: Stock): readonly string[] {
  const models = [...now, ...after]
    .filter(({ usdPerMonth }) => usdPerMonth === null)
    .map(({ model }) => model);
  return [...new Set(models)].flatMap((model) => (model === null ? stock.unknownNames : [model]));
}

function cents(usd: number): number {
  return Math.round(usd * 100) / 100;
}
