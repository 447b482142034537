import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import { modelByKey } from '#core/catalogue/catalogue';
import type { MigModel } from '#core/catalogue/model';
import { statesOf } from '#core/geometry/states';
import { spaceOf, spaceOfOnly } from '#core/geometry/space';
import { heaviest, provenCards, type Legal, type Profile } from '../../../test/support/check-bound.js';
import { packingComplaints } from '../../../test/support/check-layouts.js';
import { anyCard, fewestCards } from '../../../test/support/random-card.js';
import { familyOf } from './closed-form.js';
import type { Solve } from './linear-program.js';
import { pack } from './pack.js';
import type { Packing } from './packing.js';
import { packByPatterns } from './pattern-program.js';

const h100 = mig('h100-80gb-sxm');
const rtx = mig('rtx-pro-6000-blackwell-server');
const a30 = mig('a30-24gb');
const long = process.env['MICA_LONG'] === '1';
let solve: Solve;

beforeAll(async () => {
  ({ solve } = await loadSolver());
});

describe('the closed forms', () => {
  it.each([h100, mig('a100-40gb'), rtx, a30])('bound every layout of $key by their resources', (model) => {
    const family = familyOf(spaceOf(model));
    expect(family).toBeDefined();
    for (const { weights, gpuWorth } of family?.resources ?? []) {
      expect(
        heaviest(
          model.profiles.filter(({ attribute }) => attribute === null),
          weights,
        ),
      ).toBe(gpuWorth);
    }
  });

  it.each([h100, rtx, a30])('need as few cards of $key as exhaustive search, and prove it', (model) => {
    fc.assert(
      fc.property(demandOf(model, 4), (demand) => {
        const packing = pack(model, demand);
        expect(packing.gpus).toBe(fewestCards({ ...model, profiles: plain(model) }, demand));
        expect(complaints(plain(model), demand, packing)).toEqual([]);
      }),
      { numRuns: long ? 1000 : 60 },
    );
  });

  it.each([h100, rtx])('need as few cards of $key as the integer program, for large demands too', (model) => {
    fc.assert(
      fc.property(demandOf(model, 5000), (demand) => {
        const packing = pack(model, demand);
        const searched = packByPatterns(model, spaceOfOnly(model, new Set(Object.keys(demand))), demand, {
          solve,
        });
        expect([packing.gpus, packing.lowerBound, packing.optimal]).toEqual([
          searched.gpus,
          searched.gpus,
          true,
        ]);
        expect(complaints(plain(model), demand, searched)).toEqual([]);
      }),
      { numRuns: long ? 1500 : 40 },
    );
  });

  it.each([h100, rtx, a30])('place the most units on too few cards of $key', (model) => {
    fc.assert(
      fc.property(demandOf(model, 5), fc.nat(4), (demand, gpus) => {
        const packing = pack(model, demand, { gpus });
        expect(packing.gpus).toBeLessThanOrEqual(gpus);
        expect(complaints(plain(model), demand, packing)).toEqual([]);
        expect(unitsPlaced(packing)).toBe(mostUnits(model, demand, gpus));
      }),
      { numRuns: long ? 500 : 40 },
    );
  });

  it('say nothing of a geometry that has no closed form', () => {
    const odd = {
      ...h100,
      key: 'odd',
      profiles: [
        ...h100.profiles.slice(0, 2),
        { ...(h100.profiles[5] as (typeof h100.profiles)[0]), starts: [1, 5] },
      ],
    };
    expect(familyOf(spaceOf(odd))).toBeUndefined();
  });
});

describe('the pattern program', () => {
  it('packs attribute profiles within engines and maximum counts', () => {
    const demand = { '1g.24gb+me.all': 5, '1g.24gb-me': 11, '1g.24gb': 20, '2g.48gb+gfx': 3 };
    const packing = pack(rtx, demand, { solve });
    expect(packing.gpus).toBe(12);
    // All 4 decoders are in the +me.all slices, none in the -me ones.
    const decoders = (counts: Readonly<Record<string, number>>): number =>
      4 * (counts['1g.24gb+me.all'] ?? 0) + (counts['1g.24gb'] ?? 0) + 2 * (counts['2g.48gb+gfx'] ?? 0);
    expect(complaints(rtx.profiles, demand, packing, (counts) => decoders(counts) <= 4)).toEqual([]);
  });

  it('is as good as exhaustive search on any card', () => {
    fc.assert(
      fc.property(anyCard, fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }), (card, counts) => {
        const demand = Object.fromEntries(card.profiles.map(({ name }, index) => [name, counts[index] ?? 0]));
        const wanted = new Set(Object.keys(demand).filter((name) => (demand[name] ?? 0) > 0));
        if (wanted.size === 0) return;
        const packing = packByPatterns(card, spaceOfOnly(card, wanted), demand, { solve });
        expect(packing.gpus).toBe(fewestCards(card, demand));
        expect(complaints(card.profiles, demand, packing)).toEqual([]);
      }),
      { numRuns: long ? 500 : 60 },
    );
  });

  it('says what is missing without a solver', () => {
    expect(() => pack(rtx, { '1g.24gb+gfx': 2 })).toThrow(
      expect.objectContaining({ code: 'needs-solver' }) as Error,
    );
  });
});

describe('packing at scale', () => {
  it('writes equal layouts once', () => {
    const packing = pack(h100, {
      '7g.80gb': 166_666,
      '4g.40gb': 166_667,
      '3g.40gb': 166_667,
      '2g.20gb': 166_667,
      '1g.20gb': 166_667,
      '1g.10gb': 166_666,
    });
    expect(packing.layouts.length).toBeLessThan(20);
    expect([packing.gpus, packing.lowerBound]).toEqual([437_500, 437_500]);
  });

  it('knows only profiles of the card', () => {
    expect(() => pack(h100, { '1g.24gb': 1 })).toThrow(/h100-80gb-sxm has no profile 1g.24gb/);
  });

  it('packs nothing on no card', () => {
    expect(pack(h100, { '1g.10gb': 0 })).toEqual({
      gpus: 0,
      lowerBound: 0,
      optimal: true,
      layouts: [],
      unplaced: {},
      proof: { kind: 'none', why: 'nothing was asked for' },
    });
  });
});

function demandOf(model: MigModel, max: number): fc.Arbitrary<Record<string, number>> {
  return fc.record(
    Object.fromEntries(plain(model).map(({ name }) => [name, fc.oneof(fc.constant(0), fc.nat(max))])),
  );
}

/** Both judges together: legal and complete, and the proof proves what the packing says. */
function complaints(
  profiles: readonly Profile[],
  demand: Readonly<Record<string, number>>,
  packing: Packing,
  isLegal?: Legal,
): readonly string[] {
  const { proof, lowerBound } = packing;
  const proven = proof.kind === 'weights' ? provenCards(profiles, demand, proof, isLegal) : 0;
  const unproven = proven === lowerBound ? [] : [`the proof proves ${proven} cards, not ${lowerBound}`];
  return [...packingComplaints(profiles, demand, packing), ...unproven];
}

function unitsPlaced({ layouts }: ReturnType<typeof pack>): number {
  return layouts.reduce(
    (sum, { count, placements }) => sum + count * placements.reduce((units, { size }) => units + size, 0),
    0,
  );
}

/** By dynamic programming over cards: the best additional layout, one card at a time, over all remaining demands. */
function mostUnits(model: MigModel, demand: Readonly<Record<string, number>>, gpus: number): number {
  const space = spaceOf(model);
  const vectors = new Map(statesOf(space).map(({ counts }) => [counts.join(), counts]));
  const known = new Map<string, number>();
  const best = (left: readonly number[], cards: number): number => {
    if (cards === 0) return 0;
    const key = `${cards}/${left.join()}`;
    const answer = known.get(key);
    if (answer !== undefined) return answer;
    let most = 0;
    for (const counts of vectors.values()) {
      if (counts.some((count, index) => count > (left[index] ?? 0))) continue;
      const units = counts.reduce(
        (sum, count, index) => sum + count * (space.profiles[index]?.sizeUnits ?? 0),
        0,
      );
      if (units === 0) continue;
      most = Math.max(
        most,
        units +
          best(
            left.map((count, index) => count - (counts[index] ?? 0)),
            cards - 1,
          ),
      );
    }
    known.set(key, most);
    return most;
  };
  return best(
    space.profiles.map(({ name }) => demand[name] ?? 0),
    gpus,
  );
}

function plain(model: MigModel): MigModel['profiles'] {
  return model.profiles.filter(({ attribute }) => attribute === null);
}

function mig(key: string): MigModel {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new Error(`${key} is not in the catalogue`);
  return model;
}
