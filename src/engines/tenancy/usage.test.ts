import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultPrices } from '#core/cost/default-prices';
import type { PriceTable } from '#core/cost/price-table';
import type { LeaseRecord, UsageRecord } from '#ports/run-store';
import { slicesOn } from '../../../test/support/leasable-slices.js';
import { memoryRunStore } from '../../../test/support/memory-run-store.js';
import { invoice, reportUsage } from './usage.js';

const hourMs = 3_600_000;
const model = 'rtx-pro-6000-blackwell-server';
const price = (usdPerHour: number | null, estimate = false): PriceTable => [
  { machineType: 'one', model, gpus: 1, usdPerHour, estimate, source: 'a test', region: null, asOf: null },
];
const slice = (profile: string | null = '1g.24gb', sizeUnits = 3) => ({
  id: 'x',
  model,
  profile,
  sizeUnits,
  gridUnits: 12,
});
const use = (startMs: number, endMs: number, more: Partial<UsageRecord> = {}): UsageRecord => ({
  lease: 'l',
  tenant: 'acme',
  command: [],
  slices: [slice()],
  startMs,
  endMs,
  peakMemoryMiB: null,
  ...more,
});

describe('an invoice', () => {
  it('has a row for each tenant, model and profile, and their sums', () => {
    const used = [
      use(0, hourMs),
      use(0, 2 * hourMs, { slices: [slice(), slice('2g.48gb', 6)] }),
      use(0, hourMs, { tenant: 'bolt', slices: [slice(null, 12)] }),
      use(0, hourMs, { tenant: null }),
    ];
    const row = { model, isEstimate: false, usdPerGpuHour: 4 };
    const one = { uses: 1, sliceHours: 1 };
    expect(invoice(used, 0, 10 * hourMs, price(4))).toEqual({
      sinceMs: 0,
      untilMs: 10 * hourMs,
      rows: [
        { ...row, ...one, tenant: null, profile: '1g.24gb', gpuHours: 0.25, usd: 1 },
        { ...row, tenant: 'acme', profile: '1g.24gb', uses: 2, sliceHours: 3, gpuHours: 0.75, usd: 3 },
        { ...row, tenant: 'acme', profile: '2g.48gb', uses: 1, sliceHours: 2, gpuHours: 1, usd: 4 },
        { ...row, ...one, tenant: 'bolt', profile: null, gpuHours: 1, usd: 4 },
      ],
      tenants: [
        { ...one, tenant: null, gpuHours: 0.25, usd: 1 },
        { tenant: 'acme', uses: 3, sliceHours: 5, gpuHours: 1.75, usd: 7 },
        { ...one, tenant: 'bolt', gpuHours: 1, usd: 4 },
      ],
      total: { uses: 5, sliceHours: 7, gpuHours: 3, usd: 12 },
      unpriced: [],
    });
  });

  it('rounds to ten-thousandths of an hour, and half a cent up', () => {
    const usd = (ms: number, usdPerHour: number) =>
      invoice([use(0, ms, { slices: [slice(null, 12)] })], 0, hourMs, price(usdPerHour)).rows[0];
    expect(usd(179, 4)).toMatchObject({ sliceHours: 0, gpuHours: 0, usd: 0 });
    expect(usd(180, 4)).toMatchObject({ sliceHours: 0.0001, gpuHours: 0.0001, usd: 0 });
    expect(usd(hourMs, 0.005)).toMatchObject({ usd: 0.01 });
    expect(usd(hourMs, 0.004999)).toMatchObject({ usd: 0 });
    expect(usd(hourMs / 2, 2.69)).toMatchObject({ gpuHours: 0.5, usd: 1.35 });
  });

  it('does not take a missing price for nothing', () => {
    const used = [use(0, hourMs), use(0, hourMs, { slices: [{ ...slice(), model: null }] })];
    expect(invoice(used, 0, hourMs, price(null))).toMatchObject({
      rows: [{ usd: null, usdPerGpuHour: null }, { usd: null }],
      total: { usd: null },
      unpriced: ['unknown model', model],
    });
    expect(invoice(used, 0, hourMs, price(4, true))).toMatchObject({
      rows: [
        { usd: null, isEstimate: false },
        { usd: 1, isEstimate: true },
      ],
      total: { usd: 1 },
      unpriced: ['unknown model'],
    });
  });

  const moments = fc.integer({ min: 0, max: 50 * hourMs });
  const uses = fc
    .record({
      tenant: fc.constantFrom(null, 'acme', 'bolt', 'cork'),
      startMs: moments,
      lengthMs: fc.integer({ min: 0, max: 9 * hourMs }),
      slices: fc.array(
        fc.constantFrom(
          slice(),
          slice('2g.48gb', 6),
          slice(null, 12),
          { ...slice('1g.10gb', 1), model: 'h100-80gb-sxm', gridUnits: 8 },
          { ...slice('1g.5gb', 1), model: 'a100-40gb', gridUnits: 8 },
          { ...slice('1g.1gb', 1), model: null, gridUnits: 7 },
        ),
        { maxLength: 4 },
      ),
    })
    .map(({ lengthMs, ...one }) => use(one.startMs, one.startMs + lengthMs, one));
  const prices = fc.double({ min: 0, max: 99, noNaN: true }).map((usd) => [...price(usd), ...defaultPrices]);

  /** The whole number of parts that a figure with so many decimals is; fails where it is none. */
  const parts = (figure: number | null, decimals: number): bigint => {
    const text = (figure ?? 0).toFixed(decimals);
    expect(Number(text)).toBe(figure ?? 0);
    return BigInt(text.replace('.', ''));
  };

  it('has totals that are exactly the sums of its rows, each checked by hand', () => {
    fc.assert(
      fc.property(fc.array(uses, { maxLength: 30 }), moments, moments, prices, (used, a, b, table) => {
        const { rows, tenants, total } = invoice(used, Math.min(a, b), Math.max(a, b), table);
        for (const [key, decimals] of [
          ['uses', 0],
          ['sliceHours', 4],
          ['gpuHours', 4],
          ['usd', 2],
        ] as const) {
          const sum = (of: readonly { readonly [K in typeof key]: number | null }[]): bigint =>
            of.reduce((all, one) => all + parts(one[key], decimals), 0n);
          expect(parts(total[key], decimals)).toBe(sum(rows));
          expect(sum(tenants)).toBe(sum(rows));
          for (const { tenant, [key]: figure } of tenants) {
            expect(parts(figure, decimals)).toBe(sum(rows.filter((row) => row.tenant === tenant)));
          }
        }
        for (const { gpuHours, usdPerGpuHour, usd } of rows) {
          if (usdPerGpuHour === null) expect(usd).toBe(null);
          // In hundred-millionths of a cent, which both factors have as whole numbers.
          else {
            const exact = parts(gpuHours, 4) * parts(usdPerGpuHour, 6);
            expect(parts(usd, 2)).toBe((exact + 50_000_000n) / 100_000_000n);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('of two periods that meet is the invoice of both, but for rounding', () => {
    fc.assert(
      fc.property(fc.array(uses, { maxLength: 20 }), fc.tuple(moments, moments, moments), (used, times) => {
        const [from = 0, border = 0, to = 0] = [...times].sort((a, b) => a - b);
        const hours = (sinceMs: number, untilMs: number): ReadonlyMap<string, number> =>
          new Map(
            invoice(used, sinceMs, untilMs, []).rows.map((row) => [
              [row.tenant, row.model, row.profile].join(),
              row.sliceHours,
            ]),
          );
        const [all, before, after] = [hours(from, to), hours(from, border), hours(border, to)];
        for (const [key, sum] of all) {
          expect(Math.abs((before.get(key) ?? 0) + (after.get(key) ?? 0) - sum)).toBeLessThan(0.00016);
        }
        expect([...new Set([...before.keys(), ...after.keys()])].filter((key) => !all.has(key))).toEqual([]);
      }),
    );
  });
});

describe('a report of usage', () => {
  const [first, second] = slicesOn('0 1g.24gb:0 2g.48gb:6');
  const lease = (id: string, tenant: string | null, sliceId: string, grantedMs: number): LeaseRecord => ({
    id,
    slices: [sliceId],
    wish: { slice: { kind: 'any' }, count: 1, tenant, priority: 0 },
    holder: { pid: 1, startedAt: '', bootId: null },
    command: [],
    groups: [],
    grantedMs,
    heartbeatMs: grantedMs,
    ttlMs: 1,
    state: { kind: 'held' },
  });

  async function ask(sinceMs: number, untilMs: number | null, tenant?: string) {
    const store = memoryRunStore();
    await store.transact((tables) => {
      tables.addUsage(use(0, 2 * hourMs, { lease: 'ended' }));
      tables.addUsage(use(0, 3 * hourMs, { lease: 'other', tenant: 'bolt' }));
      tables.putLease(lease('runs', 'acme', second?.id ?? '', 3 * hourMs));
      tables.putLease(lease('gone', 'acme', 'GPU-9/1g.24gb:0#1', 3 * hourMs));
    });
    const ports = {
      store,
      clock: { nowMs: () => 4 * hourMs },
      slices: async () => [first, second].flatMap((one) => one ?? []),
    };
    const question = { sinceMs, untilMs, ...(tenant === undefined ? {} : { tenant }) };
    return reportUsage(ports, question, price(4));
  }

  it('counts what still runs up to now, and says so', async () => {
    expect(await ask(hourMs, null, 'acme')).toMatchObject({
      untilMs: 4 * hourMs,
      running: 2,
      rows: [
        { tenant: 'acme', profile: '1g.24gb', sliceHours: 1, usd: 1 },
        { tenant: 'acme', profile: '2g.48gb', sliceHours: 1, usd: 2 },
      ],
    });
    expect((await ask(0, null)).tenants.map(({ tenant, sliceHours }) => [tenant, sliceHours])).toEqual([
      ['acme', 3],
      ['bolt', 3],
    ]);
  });

  it('of a period that is over has nothing that still runs after it, and of the future nothing', async () => {
    expect(await ask(0, 3 * hourMs, 'acme')).toMatchObject({ running: 0, rows: [{ sliceHours: 2 }] });
    expect(await ask(0, 3.5 * hourMs, 'acme')).toMatchObject({
      running: 0,
      untilMs: 3.5 * hourMs,
      rows: [{ sliceHours: 2 }, { sliceHours: 0.5 }],
    });
    expect(await ask(0, 99 * hourMs, 'acme')).toMatchObject({ untilMs: 4 * hourMs, running: 2 });
    expect(await ask(0, null, 'nobody')).toMatchObject({ rows: [], tenants: [], total: { usd: 0 } });
  });
});
