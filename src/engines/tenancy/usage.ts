/**
 * Who used what in a period, and what it cost: a row for each tenant, model and profile, as an invoice has them. Hours
 * are rounded to four decimals and money to cents, row by row; totals are the sums of what the rows say.
 */
import { cheapestFor, type PriceTable } from '#core/cost/price-table';
import type { LeasableSlice } from '#core/run/slice';
import type { RunStore, UsageRecord } from '#ports/run-store';
import type { Clock } from '#ports/clock';
import { usageOf } from '../run/usage.js';

/** From `sinceMs` until just before `untilMs`; use across a border is cut there. */
export interface UsageQuestion {
  readonly sinceMs: number;
  /** `null`: until now. */
  readonly untilMs: number | null;
  /** Left out: everybody. */
  readonly tenant?: string;
}

export interface UsagePorts {
  readonly store: RunStore;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** What the machine has to lease: running leases are measured by it. */
  readonly slices: () => Promise<readonly LeasableSlice[]>;
}

export interface UsageSum {
  /** Slices that were leased, each time anew. */
  readonly uses: number;
  readonly sliceHours: number;
  /** Each slice counts as its share of the GPU's placement units. */
  readonly gpuHours: number;
  /** `null`: no row of it has a price. */
  readonly usd: number | null;
}

export interface UsageRow extends UsageSum {
  /** `null`: whoever owns the machine. */
  readonly tenant: string | null;
  /** `null`: the catalogue does not know the card. */
  readonly model: string | null;
  /** `null`: the whole GPU. */
  readonly profile: string | null;
  /** The row's money is its GPU-hours times this; `null`: no price is known. */
  readonly usdPerGpuHour: number | null;
  /** The price ranks machines, it is nobody's. */
  readonly isEstimate: boolean;
}

export interface UsageReport {
  readonly sinceMs: number;
  readonly untilMs: number;
  /** By tenant, model and profile. */
  readonly rows: readonly UsageRow[];
  readonly tenants: readonly (UsageSum & { readonly tenant: string | null })[];
  readonly total: UsageSum;
  /** Leases that still run, counted up to `untilMs`, which is now. */
  readonly running: number;
  /** Models with use and no price: their rows are in no sum of money. */
  readonly unpriced: readonly string[];
}

export async function reportUsage(
  { store, clock, slices }: UsagePorts,
  { sinceMs, untilMs: asked, tenant }: UsageQuestion,
  prices: PriceTable,
): Promise<UsageReport> {
  const there = await slices();
  const found = await store.read((tables) => ({ leases: tables.leases(), ended: tables.usage(sinceMs) }));
  const nowMs = clock.nowMs();
  const untilMs = Math.min(asked ?? nowMs, nowMs);
  const isAsked = (one: { readonly tenant: string | null }): boolean =>
    tenant === undefined || one.tenant === tenant;
  const running = found.leases
    .map((lease) => {
      const own = there.filter(({ id }) => lease.slices.includes(id));
      return usageOf(lease, own, nowMs, null);
    })
    .filter(isAsked)
    .filter((use) => cut(use, sinceMs, untilMs) !== null);
  const used = [...found.ended.filter(isAsked), ...running];
  // What runs on past a border that is behind us changes nothing before it.
  return { ...invoice(used, sinceMs, untilMs, prices), running: untilMs < nowMs ? 0 : running.length };
}

/** What these uses come to in the period. */
export function invoice(
  used: readonly UsageRecord[],
  sinceMs: number,
  untilMs: number,
  prices: PriceTable,
): Omit<UsageReport, 'running'> {
  const groups = new Map<string, Group>();
  for (const use of used) {
    const ms = cut(use, sinceMs, untilMs);
    if (ms === null) continue;
    for (const { model, profile, sizeUnits, gridUnits } of use.slices) {
      const key = [use.tenant ?? '', model ?? '', profile ?? ''].join(' ');
      const group = groups.get(key) ?? { tenant: use.tenant, model, profile, uses: 0, ms: 0, gpuMs: 0 };
      group.uses += 1;
      group.ms += ms;
      group.gpuMs += (ms * sizeUnits) / gridUnits;
      groups.set(key, group);
    }
  }
  const rows = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => rowOf(group, prices));
  const names = [...new Set(rows.map(({ tenant }) => tenant))];
  return {
    sinceMs,
    untilMs,
    rows: rows.map(shown),
    tenants: names.map((tenant) => ({ tenant, ...sumOf(rows.filter((row) => row.tenant === tenant)) })),
    total: sumOf(rows),
    unpriced: [...new Set(rows.flatMap((row) => (row.cents === null ? [row.model ?? 'unknown model'] : [])))],
  };
}

interface Group {
  readonly tenant: string | null;
  readonly model: string | null;
  readonly profile: string | null;
  uses: number;
  ms: number;
  gpuMs: number;
}

/** In whole parts, so that sums are exact. */
interface Row extends Pick<UsageRow, 'tenant' | 'model' | 'profile' | 'uses' | 'isEstimate'> {
  readonly sliceParts: number;
  readonly gpuParts: number;
  readonly microUsdPerGpuHour: number | null;
  readonly cents: number | null;
}

const partsPerHour = 10_000;
const msPerPart = 3_600_000 / partsPerHour;

function rowOf({ tenant, model, profile, uses, ms, gpuMs }: Group, prices: PriceTable): Row {
  const price = model === null ? null : cheapestFor(model, prices);
  const gpuParts = Math.round(gpuMs / msPerPart);
  const micro = price?.ok === true ? Math.round(price.usdPerGpuHour * 1e6) : null;
  return {
    tenant,
    model,
    profile,
    uses,
    sliceParts: Math.round(ms / msPerPart),
    gpuParts,
    microUsdPerGpuHour: micro,
    isEstimate: price?.ok === true && price.machine.estimate,
    cents: micro === null ? null : centsOf(gpuParts, micro),
  };
}

/** Half a cent is rounded up. Of the row's own figures, so that it can be checked with pencil and paper. */
function centsOf(gpuParts: number, microUsdPerGpuHour: number): number {
  const perCent = BigInt(partsPerHour) * 10_000n;
  return Number((BigInt(gpuParts) * BigInt(microUsdPerGpuHour) + perCent / 2n) / perCent);
}

function shown(row: Row): UsageRow {
  const { tenant, model, profile, microUsdPerGpuHour: micro, isEstimate } = row;
  return {
    tenant,
    model,
    profile,
    ...sumOf([row]),
    usdPerGpuHour: micro === null ? null : micro / 1e6,
    isEstimate,
  };
}

function sumOf(rows: readonly Row[]): UsageSum {
  const total = (of: (row: Row) => number): number => rows.reduce((sum, row) => sum + of(row), 0);
  const isPriced = rows.length === 0 || rows.some(({ cents }) => cents !== null);
  return {
    uses: total(({ uses }) => uses),
    sliceHours: total(({ sliceParts }) => sliceParts) / partsPerHour,
    gpuHours: total(({ gpuParts }) => gpuParts) / partsPerHour,
    usd: isPriced ? total(({ cents }) => cents ?? 0) / 100 : null,
  };
}

/** How long of it lies in the period, in whole milliseconds; `null`: nothing of it does. */
function cut({ startMs, endMs }: UsageRecord, sinceMs: number, untilMs: number): number | null {
  const [from, to] = [Math.max(startMs, sinceMs), Math.min(endMs, untilMs)];
  if (to > from) return Math.round(to - from);
  return startMs >= sinceMs && startMs < untilMs ? 0 : null;
}
