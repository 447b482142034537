import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slicesOn } from '../../../test/support/leasable-slices.js';
import { fits } from './choose-slices.js';
import {
  inOrder,
  judgeQueue,
  type HeldSlices,
  type PastUse,
  type QueuedRequest,
  type SliceNow,
} from './queue.js';
import { noQuota } from './quota.js';
import type { LeasableSlice, SliceWish } from './slice.js';

const four = slicesOn('0 1g.24gb:0 1g.24gb:3 1g.24gb:6 1g.24gb:9');
const ready = (slices: readonly LeasableSlice[]): readonly SliceNow[] =>
  slices.map((slice) => ({ kind: 'ready', slice }));

const tenants = ['acme', 'bolt'].map((name) => ({ name, quota: noQuota, dedicated: [] }));

interface Ask {
  readonly id: string;
  readonly slice?: SliceWish;
  readonly count?: number;
  readonly tenant?: string | null;
  readonly priority?: number;
  readonly askedMs?: number;
}

const asking = ({
  id,
  slice = { kind: 'any' },
  count = 1,
  tenant = null,
  priority = 0,
  askedMs = 0,
}: Ask): QueuedRequest => ({
  id,
  wish: { slice, count, tenant, priority },
  askedMs,
});
const holds = (tenant: string | null, ...slices: readonly (LeasableSlice | undefined)[]): HeldSlices => ({
  slices: slices.flatMap((slice) => (slice === undefined ? [] : [slice.id])),
  wish: { tenant },
});
const order = (
  asks: readonly Ask[],
  held: readonly HeldSlices[] = [],
  usage: readonly PastUse[] = [],
  nowMs = 0,
) => inOrder(asks.map(asking), held, ready(four), usage, nowMs).map(({ id }) => id);

function said(
  requests: readonly Ask[],
  held: readonly HeldSlices[],
  slices: readonly SliceNow[],
): Record<string, string> {
  const verdicts = judgeQueue(requests.map(asking), held, slices, [], 0, []);
  return Object.fromEntries(
    [...verdicts].map(([id, verdict]) => {
      switch (verdict.kind) {
        case 'granted':
          return [
            id,
            verdict.slices
              .map((slice) => `${slice.gpuIndex}/${slice.profile ?? 'whole'}:${slice.start ?? 0}`)
              .join(),
          ];
        case 'waits':
          return [id, `${verdict.place}: ${verdict.why}`];
        case 'impossible':
        case 'over-quota':
          return [id, verdict.kind === 'impossible' ? verdict.why : `over quota: ${verdict.why}`];
      }
    }),
  );
}

describe('the order', () => {
  it('is priority, then the tenant that holds least, then who used least lately, then age', () => {
    expect(
      order([
        { id: 'a', askedMs: 2 },
        { id: 'b', askedMs: 1 },
        { id: 'c', priority: 1, askedMs: 3 },
      ]),
    ).toEqual(['c', 'b', 'a']);
    const two = [
      { id: 'x', tenant: 'acme', askedMs: 1 },
      { id: 'y', tenant: 'bolt', askedMs: 2 },
    ];
    expect(order(two)).toEqual(['x', 'y']);
    expect(order(two, [holds('acme', four[0])])).toEqual(['y', 'x']);
    expect(order(two, [holds('acme', four[0]), holds('bolt', four[1], four[2])])).toEqual(['x', 'y']);
    const used = (tenant: string, endMs: number): PastUse => ({
      tenant,
      slices: [{ sizeUnits: 3, gridUnits: 12 }],
      startMs: endMs - 1000,
      endMs,
    });
    expect(order(two, [], [used('acme', 5000)], 6000)).toEqual(['y', 'x']);
    expect(order(two, [], [used('acme', 5000), used('bolt', 9_000_000)], 9_000_000)).toEqual(['x', 'y']);
  });
});

describe('judgeQueue', () => {
  it('grants to as many as it can, never one slice twice', () => {
    expect(
      said(
        [
          { id: 'a', count: 3 },
          { id: 'b', askedMs: 1 },
          { id: 'c', askedMs: 2 },
        ],
        [],
        ready(four),
      ),
    ).toEqual({
      a: '0/1g.24gb:0,0/1g.24gb:3,0/1g.24gb:6',
      b: '0/1g.24gb:9',
      c: '1: others were first',
    });
  });

  it('keeps what the first could use from those behind it, and only that', () => {
    const slices = ready(slicesOn('0 1g.24gb:0 1g.24gb:3 2g.48gb:6', '1 2g.48gb:0'));
    const big = { id: 'big', slice: { kind: 'profile', profile: '2g.48gb' }, count: 2 } as const;
    const held = [holds(null, slices[3]?.slice)];
    expect(
      said(
        [
          big,
          { id: 'mid', slice: { kind: 'memory', memoryMiB: 40_000 }, askedMs: 1 },
          { id: 'small', askedMs: 2 },
        ],
        held,
        slices,
      ),
    ).toEqual({
      big: '1: 1 of 2 that would do is leased',
      mid: '2: 1 of 2 that would do is leased; others were first',
      small: expect.stringMatching(/^0\/1g/),
    });
  });

  it("says what can never be, and lets it stand in nobody's way", () => {
    const slices: readonly SliceNow[] = ready(four).map((one, index) =>
      index === 0 ? { kind: 'quarantined', slice: one.slice, why: 'Xid 79' } : one,
    );
    const [first] = four;
    expect(
      said(
        [
          { id: 'a', count: 4 },
          { id: 'b', askedMs: 1, slice: { kind: 'profile', profile: '3g.40gb' } },
          { id: 'c', askedMs: 2 },
        ],
        [],
        slices,
      ),
    ).toEqual({
      a: `4 slices cannot be leased: this machine has 4 x 1g.24gb; ${first?.id ?? ''} is in quarantine (Xid 79)`,
      b: 'a slice 3g.40gb cannot be leased: this machine has 4 x 1g.24gb',
      c: expect.stringMatching(/^0\/1g/),
    });
    expect(said([{ id: 'a' }], [], [])).toEqual({ a: 'this machine has no slice that could be leased' });
  });

  it('waits for somebody without a lease', () => {
    const slices: readonly SliceNow[] = four.map((slice) => ({
      kind: 'taken',
      slice,
      why: 'python (pid 9) is in it',
    }));
    expect(said([{ id: 'a' }], [], slices.slice(0, 1))).toEqual({ a: '1: python (pid 9) is in it' });
  });

  const wishes = fc.record({
    slice: fc.oneof(
      fc.constant<SliceWish>({ kind: 'any' }),
      fc.constantFrom('1g.24gb', '2g.48gb').map((profile): SliceWish => ({ kind: 'profile', profile })),
      fc.integer({ min: 1, max: 60 }).map((gib): SliceWish => ({ kind: 'memory', memoryMiB: gib * 1024 })),
    ),
    count: fc.integer({ min: 1, max: 4 }),
    tenant: fc.constantFrom(null, 'acme', 'bolt'),
    priority: fc.integer({ min: 0, max: 1 }),
  });
  const machine = slicesOn(
    '0 1g.24gb:0 1g.24gb:3 2g.48gb:6',
    '1 1g.24gb:0 1g.24gb:3 1g.24gb:6 1g.24gb:9',
    '2 2g.48gb:0 2g.48gb:6',
  );

  it('grants no slice that is held, twice, or that somebody further ahead could use', () => {
    fc.assert(
      fc.property(fc.array(wishes, { maxLength: 8 }), fc.subarray([...machine]), (all, taken) => {
        const requests = all.map((wish, index) => asking({ id: `r${index}`, askedMs: index, ...wish }));
        const held = taken.map((slice) => holds(null, slice));
        const verdicts = judgeQueue(requests, held, ready(machine), [], 0, tenants);
        const granted = [...verdicts.values()].flatMap((verdict) =>
          verdict.kind === 'granted' ? verdict.slices : [],
        );
        expect(new Set(granted).size).toBe(granted.length);
        for (const slice of granted) expect(taken).not.toContain(slice);
        const waiting: QueuedRequest[] = [];
        for (const request of inOrder(requests, held, ready(machine), [], 0)) {
          const verdict = verdicts.get(request.id);
          if (verdict?.kind === 'waits') waiting.push(request);
          if (verdict?.kind !== 'granted') continue;
          expect(verdict.slices).toHaveLength(request.wish.count);
          for (const slice of verdict.slices) {
            for (const ahead of waiting) expect(fits(slice, ahead.wish.slice)).toBe(false);
          }
        }
      }),
    );
  });

  it('starves nobody of one tenant: the oldest is served once those that run have ended', () => {
    fc.assert(
      fc.property(fc.array(wishes, { minLength: 3, maxLength: 30 }), (all) => {
        let waiting = all.map((wish, index) =>
          asking({ id: `r${index}`, askedMs: index, ...wish, tenant: null, priority: 0 }),
        );
        const running: {
          readonly id: string;
          readonly endMs: number;
          readonly slices: readonly LeasableSlice[];
        }[] = [];
        // Small requests keep coming for as long as anybody large waits.
        for (let nowMs = 0; waiting.some(({ id }) => id.startsWith('r')); nowMs += 1) {
          expect(nowMs).toBeLessThan(all.length * 10);
          running.splice(0, running.length, ...running.filter(({ endMs }) => endMs > nowMs));
          waiting.push(
            asking({ id: `s${nowMs}`, askedMs: 1000 + nowMs }),
            asking({ id: `t${nowMs}`, askedMs: 1000 + nowMs }),
          );
          const held = running.map(({ slices }) => holds(null, ...slices));
          const verdicts = judgeQueue(waiting, held, ready(machine), [], nowMs, []);
          for (const { id } of waiting) {
            const verdict = verdicts.get(id);
            if (verdict?.kind === 'granted')
              running.push({ id, endMs: nowMs + 1 + (nowMs % 5), slices: verdict.slices });
          }
          waiting = waiting.filter(({ id }) => verdicts.get(id)?.kind === 'waits');
        }
      }),
      { numRuns: 40 },
    );
  });
});
