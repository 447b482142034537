import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyCard } from '../../../test/support/random-card.js';
import { findModel } from '../catalogue/find-model.js';
import type { MigModel } from '../catalogue/model.js';
import { asArgument, type Placement } from '../geometry/placement.js';
import { layoutOf, spaceOf } from '../geometry/space.js';
import { statesOf } from '../geometry/states.js';
import { fits } from './choose-slices.js';
import { recutFor, type RecutCard } from './recut.js';
import type { LeasableSlice, SliceWish } from './slice.js';

function model(name: string): MigModel {
  const found = findModel(name);
  if (!found.ok || found.model.kind !== 'mig') throw new Error(name);
  return found.model;
}

function placed(card: MigModel, text: string): Placement {
  const [profile = '', start] = text.split(':');
  const size = card.profiles.find(({ name }) => name === profile)?.sizeUnits ?? 0;
  return { profile, start: Number(start), size };
}

/** `3g.40gb:0` is idle, `3g.40gb:4!` is busy, `3g.40gb:4?` was made by somebody else. */
function gpu(card: MigModel, places: readonly string[], more: Partial<RecutCard> = {}): RecutCard {
  const standing = places.map((text) => ({
    placement: placed(card, text.replace(/[!?]/, '')),
    state: ({ '!': 'busy', '?': 'foreign' } as const)[text.at(-1) ?? ''] ?? ('idle' as const),
  }));
  return { gpuUuid: 'GPU-0', gpuIndex: 0, card, mig: true, standing, shut: null, ...more };
}

function sliceOn({ gpuUuid, gpuIndex, card }: RecutCard, { profile, start, size }: Placement): LeasableSlice {
  const memoryMiB = card.profiles.find(({ name }) => name === profile)?.memoryMiB ?? null;
  return {
    ...{ id: `${gpuUuid}/${profile}:${start}`, gpuUuid, gpuIndex, model: null, profile, start },
    ...{ instanceId: start, device: '', memoryMiB, sizeUnits: size, gridUnits: card.gridUnits },
  };
}

const idleOn = (cards: readonly RecutCard[]): readonly LeasableSlice[] =>
  cards.flatMap((card) =>
    card.standing.flatMap(({ placement, state }) => (state === 'idle' ? [sliceOn(card, placement)] : [])),
  );

function ask(cards: readonly RecutCard[], slice: SliceWish, count = 1) {
  const answer = recutFor(cards, { slice, count }, idleOn(cards));
  if (!answer.ok) return answer;
  const { gpuIndex, destroyed, created, placements } = answer.recut;
  return {
    gpuIndex,
    destroyed: destroyed.map(asArgument),
    created: created.map(asArgument),
    placements: placements.map(asArgument),
  };
}

const profile = (name: string): SliceWish => ({ kind: 'profile', profile: name });
const h100 = model('h100');

describe('cutting a GPU anew for a wish', () => {
  it('takes free units before slices, and the fewest, then the smallest slices', () => {
    expect(ask([gpu(h100, [])], profile('3g.40gb'))).toMatchObject({ destroyed: [], created: ['3g.40gb:4'] });
    expect(ask([gpu(h100, ['3g.40gb:0!', '2g.20gb:4', '1g.10gb:6'])], profile('1g.10gb'), 2)).toMatchObject({
      destroyed: ['2g.20gb:4'],
      created: [expect.stringMatching(/^1g\.10gb:[45]$/)],
    });
    expect(
      ask(
        [
          gpu(h100, ['1g.10gb:0', '1g.10gb:1', '2g.20gb:2!', '3g.40gb:4!']),
          gpu(h100, ['3g.40gb:0!', '2g.20gb:4', '1g.10gb:6!'], { gpuUuid: 'GPU-1', gpuIndex: 1 }),
        ],
        { kind: 'memory', memoryMiB: 15_000 },
        2,
      ),
    ).toMatchObject({
      gpuIndex: 0,
      destroyed: ['1g.10gb:0', '1g.10gb:1'],
      placements: ['1g.20gb:0', '2g.20gb:2', '3g.40gb:4'],
    });
  });

  it('breaks up a whole GPU last', () => {
    const whole = gpu(h100, [], { gpuUuid: 'GPU-1', gpuIndex: 1, mig: false });
    const cut = gpu(h100, ['3g.40gb:0', '3g.40gb:4'], { gpuUuid: 'GPU-2', gpuIndex: 2 });
    expect(ask([whole, cut], profile('7g.80gb'))).toMatchObject({ gpuIndex: 2 });
    expect(ask([whole, gpu(h100, ['3g.40gb:4!'])], profile('7g.80gb'))).toMatchObject({ gpuIndex: 1 });
  });

  it('says why not, and whether waiting helps', () => {
    const busy = gpu(h100, ['3g.40gb:0!', '3g.40gb:4!']);
    expect(ask([busy], profile('7g.80gb'))).toMatchObject({
      later: true,
      why: expect.stringContaining('GPU 0 can be cut for a slice 7g.80gb once'),
    });
    expect(ask([busy], profile('4g.96gb'))).toMatchObject({
      later: false,
      why: expect.stringContaining('no GPU here can be cut into a slice 4g.96gb'),
    });
    expect(ask([gpu(h100, ['3g.40gb:0!', '3g.40gb:4?'])], profile('7g.80gb'))).toMatchObject({
      later: false,
      why: expect.stringContaining('0/3g.40gb:4 stays: Mica did not make it'),
    });
    expect(ask([busy], profile('4g.40gb'), 2)).toMatchObject({ later: false });
    const shut = { why: 'GPU 0 needs a reset', forGood: true };
    expect(ask([gpu(h100, [], { shut })], profile('7g.80gb'))).toMatchObject({
      later: false,
      why: expect.stringContaining('GPU 0 needs a reset'),
    });
    expect(ask([gpu(h100, ['1g.10gb:0'])], profile('1g.10gb'))).toMatchObject({ ok: false });
  });

  it('is as good as the best of all layouts', () => {
    const anyAsk = anyCard.chain((card) => {
      const space = spaceOf(card, 'all');
      const states = statesOf(space);
      return fc.record({
        card: fc.constant(card),
        layout: fc
          .integer({ min: 0, max: states.length - 1 })
          .map((at) => layoutOf(space, states[at]!.slots)),
        busy: fc.integer({ min: 0, max: 63 }),
        count: fc.integer({ min: 1, max: 3 }),
        wish: fc.oneof(
          fc.constantFrom(...card.profiles).map(({ name }) => profile(name)),
          fc.integer({ min: 1, max: 6 }).map((gb): SliceWish => ({ kind: 'memory', memoryMiB: gb * 1000 })),
          fc.constant<SliceWish>({ kind: 'any' }),
        ),
      });
    });
    fc.assert(
      fc.property(anyAsk, ({ card, layout, busy, count, wish }) => {
        const on = gpu(
          card,
          layout.map((one, place) => `${asArgument(one)}${((busy >> place) & 1) === 1 ? '!' : ''}`),
        );
        const free = idleOn([on]);
        const answer = recutFor([on], { slice: wish, count }, free);
        const best = bestByForce(card, on, wish, count);
        if (free.filter((one) => fits(one, wish)).length >= count) {
          expect(answer.ok).toBe(false);
          return;
        }
        if (!answer.ok) {
          expect(best).toBe(null);
          return;
        }
        const { placements, destroyed, created } = answer.recut;
        const standing = on.standing.map(({ placement }) => asArgument(placement));
        const after = [...standing.filter((name) => !destroyed.map(asArgument).includes(name))];
        expect([...after, ...created.map(asArgument)].sort()).toEqual(placements.map(asArgument).sort());
        expect(rankOf(on, placements)).toEqual(best);
        expect(layoutsOf(card)).toContain(keyOf(placements));
      }),
      { numRuns: process.env['MICA_LONG'] === '1' ? 5_000 : 400 },
    );
  });
});

const keyOf = (layout: readonly Placement[]): string => layout.map(asArgument).sort().join(' ');

function layoutsOf(card: MigModel): readonly string[] {
  const space = spaceOf(card, 'all');
  return statesOf(space).map(({ slots }) => keyOf(layoutOf(space, slots)));
}

/** Slices that go, their units, slices that come, their units. */
function rankOf({ standing }: RecutCard, after: readonly Placement[]): readonly number[] {
  const names = new Set(after.map(asArgument));
  const before = new Set(standing.map(({ placement }) => asArgument(placement)));
  const gone = standing.filter(({ placement }) => !names.has(asArgument(placement)));
  const come = after.filter((one) => !before.has(asArgument(one)));
  return [
    gone.length,
    gone.reduce((sum, { placement }) => sum + placement.size, 0),
    come.length,
    come.reduce((sum, { size }) => sum + size, 0),
  ];
}

/** Looks at every layout that the card can have. */
function bestByForce(
  card: MigModel,
  on: RecutCard,
  wish: SliceWish,
  count: number,
): readonly number[] | null {
  const space = spaceOf(card, 'all');
  let best: readonly number[] | null = null;
  for (const { slots } of statesOf(space)) {
    const after = layoutOf(space, slots);
    const has = (name: string): boolean => after.some((one) => asArgument(one) === name);
    if (on.standing.some(({ placement, state }) => state !== 'idle' && !has(asArgument(placement)))) continue;
    const stood = (one: Placement): boolean =>
      on.standing.some(({ placement }) => asArgument(placement) === asArgument(one));
    const made = after.filter((one) => !stood(one));
    const isPlain = (one: Placement): boolean => !one.profile.includes('+') || wish.kind === 'profile';
    if (!made.every((one) => isPlain(one) && fits(sliceOn(on, one), wish))) continue;
    const stayed = on.standing.filter(
      ({ placement, state }) =>
        state === 'idle' && has(asArgument(placement)) && fits(sliceOn(on, placement), wish),
    );
    if (made.length + stayed.length < count) continue;
    const rank = rankOf(on, after);
    if (best === null || isLess(rank, best)) best = rank;
  }
  return best;
}

function isLess(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((value, place) => value !== other[place]);
  return at !== -1 && one[at]! < other[at]!;
}
