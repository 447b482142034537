/** Quotas and dedicated slices in the queue. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slicesOn } from '../../../test/support/leasable-slices.js';
import { fits } from './choose-slices.js';
import { judgeQueue, type HeldSlices, type QueuedRequest, type SliceNow, type Verdict } from './queue.js';
import { amountOf, cheapestWithin, isWithin, limitOf, noQuota, type Quota } from './quota.js';
import type { LeasableSlice, SliceWish } from './slice.js';
import { placeOf, type TenantRights } from './tenant-rights.js';

const any: SliceWish = { kind: 'any' };
const profile = (name: string): SliceWish => ({ kind: 'profile', profile: name });
const four = slicesOn('0 1g.24gb:0 1g.24gb:3 1g.24gb:6 1g.24gb:9');
const ready = (slices: readonly LeasableSlice[]): readonly SliceNow[] =>
  slices.map((slice) => ({ kind: 'ready', slice }));

const tenant = (name: string, quota: Partial<Quota> = {}, ...dedicated: readonly string[]): TenantRights => ({
  name,
  quota: { ...noQuota, ...quota },
  dedicated,
});
const asks = (
  id: string,
  name: string | null,
  slice: SliceWish = any,
  count = 1,
  priority = 0,
): QueuedRequest => ({
  id,
  wish: { slice, count, tenant: name, priority },
  askedMs: Number(id.replace(/\D/g, '')),
});
const holds = (name: string | null, ...slices: readonly (LeasableSlice | undefined)[]): HeldSlices => ({
  slices: slices.flatMap((slice) => slice?.id ?? []),
  wish: { tenant: name },
});

function said(
  tenants: readonly TenantRights[],
  requests: readonly QueuedRequest[],
  held: readonly HeldSlices[] = [],
  slices: readonly LeasableSlice[] = four,
): Record<string, string> {
  const verdicts = judgeQueue(requests, held, ready(slices), [], 0, tenants);
  const words = (verdict: Verdict): string => {
    if (verdict.kind === 'granted') return verdict.slices.map(placeOf).join(' ');
    return `${verdict.kind === 'waits' ? verdict.place : verdict.kind}: ${verdict.why}`;
  };
  return Object.fromEntries([...verdicts].map(([id, verdict]) => [id, words(verdict)]));
}

describe('a quota', () => {
  it('that can never hold a wish is said at once; one that cannot now is waited for, and keeps nobody else out', () => {
    expect(
      said(
        [tenant('acme', { slices: 2 }), tenant('bolt')],
        [asks('a1', 'acme', any, 3), asks('a2', 'acme'), asks('b3', 'bolt')],
        [holds('acme', four[0], four[1])],
      ),
    ).toEqual({
      a1: 'over-quota: 3 slices cannot be leased: the quota of acme is 2 slices',
      a2: '1: the quota of acme is 2 slices, and in use are 2 slices',
      b3: 'GPU-0/1g.24gb:6',
    });
  });

  it('of memory and by share counts what is held', () => {
    const quota = { memoryMiB: 60 * 1024, share: 0.5 };
    expect(said([tenant('acme', quota)], [asks('a1', 'acme')], [holds('acme', four[0], four[1])])).toEqual({
      a1: '1: the quota of acme is 60 GiB and 50 % of the machine, and in use are 48 GiB and 50 % of the machine',
    });
    expect(
      said(
        [tenant('acme', { memoryMiB: 30 * 1024 })],
        [asks('a1', 'acme', profile('2g.48gb'))],
        [],
        [...four, ...slicesOn('1 2g.48gb:0')],
      ),
    ).toEqual({ a1: 'over-quota: a slice 2g.48gb cannot be leased: the quota of acme is 30 GiB' });
  });

  it('is kept for whoever of the tenant waits first', () => {
    const tenants = [tenant('acme', { slices: 3 })];
    const requests = [asks('a1', 'acme', any, 3), asks('a2', 'acme')];
    expect(said(tenants, requests, [holds('acme', four[0])])).toEqual({
      a1: '1: the quota of acme is 3 slices, and in use are 1 slice',
      a2: '2: others were first to wait for the quota of acme',
    });
    const [large] = slicesOn('1 2g.48gb:0');
    const machine = large === undefined ? four : [...four, large];
    const both = [asks('a1', 'acme', profile('2g.48gb')), asks('a2', 'acme', any, 3), asks('a3', 'acme')];
    expect(said(tenants, both, [holds('bolt', large)], machine)).toMatchObject({
      a1: '1: 1 of 1 that would do is leased',
      a2: '2: the quota of acme is 3 slices, and in use are 1 slice',
      a3: '3: others were first to wait for the quota of acme',
    });
  });

  it('keeps no slices for a wish that it could not hold together with them', () => {
    const machine = slicesOn('0 1g.24gb:0 2g.48gb:6', '1 4g.96gb:0');
    expect(
      said(
        [tenant('acme', { memoryMiB: 30 * 1024 }), tenant('bolt')],
        [asks('a1', 'acme'), asks('b2', 'bolt', profile('4g.96gb')), asks('b3', 'bolt', profile('1g.24gb'))],
        [holds('bolt', machine[0])],
        machine,
      ),
    ).toEqual({
      a1: '1: 1 of 3 that would do is leased',
      b2: 'GPU-1/4g.96gb:0',
      b3: '2: 1 of 1 that would do is leased; others were first',
    });
  });

  it('of nothing grants nothing, and nobody who is no tenant gets anything', () => {
    expect(
      said([tenant('acme', { slices: 0 })], [asks('a1', 'acme'), asks('x2', 'stranger'), asks('n3', null)]),
    ).toEqual({
      a1: 'over-quota: a slice cannot be leased: the quota of acme is 0 slices',
      x2: 'impossible: this machine has no tenant stranger',
      n3: 'GPU-0/1g.24gb:0',
    });
  });
});

it('nobody is a tenant of a machine that has none', () => {
  expect(said([], [asks('a1', 'acme'), asks('n2', null)])).toEqual({
    a1: 'impossible: this machine has no tenant acme',
    n2: 'GPU-0/1g.24gb:0',
  });
});

describe('a dedicated slice', () => {
  const own = tenant('acme', {}, 'GPU-0/1g.24gb:6');

  it('goes to its tenant first, and to nobody else', () => {
    expect(said([own, tenant('bolt')], [asks('a1', 'acme'), asks('a2', 'acme')])).toEqual({
      a1: 'GPU-0/1g.24gb:6',
      a2: 'GPU-0/1g.24gb:9',
    });
    expect(said([own, tenant('bolt')], [asks('b1', 'bolt', any, 4), asks('n2', null, any, 4)])).toEqual({
      b1: 'impossible: 4 slices cannot be leased: this machine has 4 x 1g.24gb; 1 of them is dedicated to other tenants',
      n2: 'impossible: 4 slices cannot be leased: this machine has 4 x 1g.24gb; 1 of them is dedicated to other tenants',
    });
  });

  it('is known by its place, and a whole GPU with all that it is cut into', () => {
    const again = four.map((slice) => ({ ...slice, id: slice.id.replace('#1', '#9') }));
    expect(said([own], [asks('a1', 'acme')], [], again)).toEqual({ a1: 'GPU-0/1g.24gb:6' });
    const machine = [...four, ...slicesOn('1 2g.48gb:0 2g.48gb:6', '2 whole')];
    const whole = [tenant('acme', {}, 'GPU-1', 'GPU-2')];
    expect(
      said(whole, [asks('a1', 'acme', any, 3), asks('n2', null, profile('2g.48gb'))], [], machine),
    ).toEqual({
      a1: 'GPU-1/2g.48gb:0 GPU-1/2g.48gb:6 GPU-2',
      n2: 'impossible: a slice 2g.48gb cannot be leased: this machine has 4 x 1g.24gb, 2 x 2g.48gb, 1 x whole GPU; 3 of them are dedicated to other tenants',
    });
  });

  it('is left for a smaller one where the quota asks for it', () => {
    const machine = slicesOn('0 1g.24gb:0 2g.48gb:6');
    const tight = tenant('acme', { memoryMiB: 30 * 1024 }, 'GPU-0/2g.48gb:6');
    expect(said([tight], [asks('a1', 'acme')], [], machine)).toEqual({ a1: 'GPU-0/1g.24gb:0' });
  });
});

describe('whatever tenants there are', () => {
  const machine = slicesOn(
    '0 1g.24gb:0 1g.24gb:3 2g.48gb:6',
    '1 1g.24gb:0 1g.24gb:3 1g.24gb:6 1g.24gb:9',
    '2 2g.48gb:0 2g.48gb:6',
    '3 whole',
  );
  const names = ['acme', 'bolt', 'cork'] as const;
  const wishes = fc.record({
    slice: fc.oneof(
      fc.constant(any),
      fc.constantFrom('1g.24gb', '2g.48gb').map(profile),
      fc
        .integer({ min: 1, max: 60 })
        .map((amount): SliceWish => ({ kind: 'memory', memoryMiB: amount * 1024 })),
    ),
    count: fc.integer({ min: 1, max: 4 }),
    tenant: fc.constantFrom(null, ...names),
    priority: fc.integer({ min: 0, max: 1 }),
  });
  const quotas: fc.Arbitrary<Quota> = fc.record({
    slices: fc.option(fc.integer({ min: 0, max: 6 })),
    memoryMiB: fc.option(fc.integer({ min: 1, max: 300 }).map((amount) => amount * 1024)),
    share: fc.option(fc.integer({ min: 1, max: 8 }).map((eighths) => eighths / 8)),
  });
  const owners = fc.array(fc.constantFrom(null, null, ...names), {
    minLength: machine.length,
    maxLength: machine.length,
  });
  const rights = fc.tuple(fc.tuple(quotas, quotas, quotas), owners).map(([limits, whose]) =>
    names.map((name, index): TenantRights => ({
      name,
      quota: limits[index] ?? noQuota,
      dedicated: machine.flatMap((slice, at) => (whose[at] === name ? [placeOf(slice)] : [])),
    })),
  );
  const requestsOf = (all: readonly Omit<QueuedRequest['wish'], never>[]): readonly QueuedRequest[] =>
    all.map((wish, index) => ({ id: `r${index}`, wish, askedMs: index }));
  const limitFor = (tenants: readonly TenantRights[], name: string | null) =>
    limitOf(tenants.find((one) => one.name === name)?.quota ?? noQuota, 4);
  const ownerOf = (tenants: readonly TenantRights[], slice: LeasableSlice): string | undefined =>
    tenants.find(({ dedicated }) => dedicated.includes(placeOf(slice)))?.name;

  it('no grant passes a quota or takes what is dedicated to somebody else, and over-quota is never said in vain', () => {
    fc.assert(
      fc.property(
        fc.array(wishes, { maxLength: 10 }),
        rights,
        fc.array(fc.constantFrom(null, ...names), { maxLength: machine.length }),
        (all, tenants, holders) => {
          const held = holders.map((name, index) => holds(name, machine[index]));
          const verdicts = judgeQueue(requestsOf(all), held, ready(machine), [], 0, tenants);
          for (const name of names) {
            const before = machine.filter((_, index) => holders[index] === name);
            const granted = requestsOf(all).flatMap(({ id, wish }) => {
              const verdict = verdicts.get(id);
              return wish.tenant === name && verdict?.kind === 'granted' ? verdict.slices : [];
            });
            const limit = limitFor(tenants, name);
            if (granted.length > 0) expect(isWithin(amountOf([...before, ...granted]), limit)).toBe(true);
          }
          for (const { id, wish } of requestsOf(all)) {
            const verdict = verdicts.get(id);
            expect(verdict).toBeDefined();
            if (verdict?.kind === 'granted') {
              for (const slice of verdict.slices) {
                expect([undefined, wish.tenant]).toContain(ownerOf(tenants, slice));
                expect(held.flatMap((lease) => lease.slices)).not.toContain(slice.id);
              }
            }
            if (verdict?.kind === 'over-quota') {
              const theirs = machine.filter(
                (slice) =>
                  fits(slice, wish.slice) && [undefined, wish.tenant].includes(ownerOf(tenants, slice)),
              );
              expect(theirs.length).toBeGreaterThanOrEqual(wish.count);
              expect(cheapestWithin(theirs, wish.count, limitFor(tenants, wish.tenant))).toBe(null);
            }
          }
          const granted = [...verdicts.values()].flatMap((one) => (one.kind === 'granted' ? one.slices : []));
          expect(new Set(granted).size).toBe(granted.length);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('a limit that nobody reaches changes nothing', () => {
    fc.assert(
      fc.property(fc.array(wishes, { maxLength: 8 }), fc.subarray([...machine]), (all, taken) => {
        const judged = (quota: Quota) =>
          judgeQueue(
            requestsOf(all),
            taken.map((slice) => holds('acme', slice)),
            ready(machine),
            [],
            0,
            names.map((name) => tenant(name, quota)),
          );
        expect(judged({ slices: 100, memoryMiB: 2 ** 30, share: null })).toEqual(judged(noQuota));
      }),
    );
  });

  it('whoever waits for its quota does not shut others out', () => {
    fc.assert(
      fc.property(fc.array(wishes, { maxLength: 8 }), rights, (all, tenants) => {
        const requests = requestsOf(all);
        const judged = judgeQueue(requests, [], ready(machine), [], 0, tenants);
        const forQuota = requests.filter(({ id }) => {
          const verdict = judged.get(id);
          return (
            verdict?.kind === 'over-quota' ||
            (verdict?.kind === 'waits' && verdict.why.includes('the quota of'))
          );
        });
        const without = judgeQueue(
          requests.filter((one) => !forQuota.includes(one)),
          [],
          ready(machine),
          [],
          0,
          tenants,
        );
        for (const [id, verdict] of without) {
          const before = judged.get(id);
          expect(before?.kind).toBe(verdict.kind);
          if (verdict.kind === 'granted') expect(before).toEqual(verdict);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('starves no wish that its quota can hold, however many small ones keep coming', () => {
    fc.assert(
      fc.property(
        fc.array(wishes, { minLength: 3, maxLength: 16 }),
        rights,
        fc.nat(),
        (all, tenants, turn) => {
          const limits = new Map<string | null, ReturnType<typeof limitOf>>(
            names.map((name) => [name, limitFor(tenants, name)]),
          );
          let waiting = requestsOf(
            all.map((wish) => ({ ...wish, tenant: wish.tenant ?? 'acme', priority: 0 })),
          );
          let running: readonly {
            readonly tenant: string | null;
            readonly slices: readonly LeasableSlice[];
            readonly startMs: number;
            readonly endMs: number;
          }[] = [];
          const past: (typeof running)[number][] = [];
          for (let nowMs = 0; waiting.some(({ id }) => id.startsWith('r')); nowMs += 1) {
            expect(nowMs).toBeLessThan(all.length * 60);
            past.push(...running.filter(({ endMs }) => endMs <= nowMs));
            running = running.filter(({ endMs }) => endMs > nowMs);
            const small = names.map((name, index) => ({
              id: `s${nowMs}-${index}`,
              wish: { slice: any, count: 1, tenant: name, priority: 0 },
              askedMs: 1000 + nowMs,
            }));
            waiting = [...waiting, ...small];
            const held = running.map((one) => holds(one.tenant, ...one.slices));
            const verdicts = judgeQueue(waiting, held, ready(machine), past, nowMs, tenants);
            const begun = waiting.flatMap(({ id, wish }, index) => {
              const verdict = verdicts.get(id);
              if (verdict?.kind !== 'granted') return [];
              const endMs = nowMs + 1 + ((nowMs + index + turn) % 5);
              return [{ tenant: wish.tenant, slices: verdict.slices, startMs: nowMs, endMs }];
            });
            running = [...running, ...begun];
            for (const name of names) {
              const now = running.filter((one) => one.tenant === name).flatMap(({ slices }) => slices);
              expect(isWithin(amountOf(now), limits.get(name) ?? limitOf(noQuota, 4))).toBe(true);
            }
            waiting = waiting.filter(({ id }) => verdicts.get(id)?.kind === 'waits');
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
