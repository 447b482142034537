import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelByKey } from '#core/catalogue/catalogue';
import type { MigModel } from '#core/catalogue/model';
import { allLayouts, anyCard } from '../../../test/support/random-card.js';
import { checkLayout, type Ask } from './check.js';
import type { Placement } from './placement.js';

const rtx = mig('rtx-pro-6000-blackwell-server');
const h100 = mig('h100-80gb-sxm');

describe('a layout check', () => {
  it('finds places', () => {
    const answer = checkLayout(h100, asks('3g.40gb', '2g.20gb', '1g.10gb', '1g.10gb'));
    expect(answer).toMatchObject({ ok: true });
    expect(checkLayout(h100, asks('4g.40gb', '3g.40gb'))).toEqual({
      ok: true,
      placements: [
        { profile: '4g.40gb', start: 0, size: 4 },
        { profile: '3g.40gb', start: 4, size: 4 },
      ],
    });
  });

  it('takes explicit starts, and works around what is there', () => {
    const there: Placement[] = [{ profile: '1g.24gb', start: 3, size: 3 }];
    expect(checkLayout(rtx, asks('2g.48gb'), there)).toEqual({
      ok: true,
      placements: [{ profile: '2g.48gb', start: 6, size: 6 }],
    });
    expect(checkLayout(rtx, [{ profile: '1g.24gb', start: 9 }], there)).toMatchObject({
      ok: true,
      placements: [{ start: 9 }],
    });
  });

  it.each([
    ['unknown-profile', h100, asks('1g.5gb'), []],
    ['unknown-profile', rtx, asks('3g.72gb'), []],
    ['max-count', h100, asks('4g.40gb', '4g.40gb'), []],
    ['max-count', rtx, asks('1g.24gb+me', '1g.24gb+me'), []],
    ['engines', rtx, asks('1g.24gb+me.all', '1g.24gb'), []],
    ['no-room', h100, asks('7g.80gb', '1g.10gb'), []],
    ['no-room', h100, [{ profile: '3g.40gb', start: 2 }], []],
    [
      'no-room',
      h100,
      [
        { profile: '3g.40gb', start: 4 },
        { profile: '1g.10gb', start: 5 },
      ],
      [],
    ],
    // Half of the card is free, in two quarters that no 2g can start in.
    [
      'no-room',
      rtx,
      asks('2g.48gb'),
      [
        { profile: '1g.24gb', start: 3, size: 3 },
        { profile: '1g.24gb', start: 6, size: 3 },
      ],
    ],
  ] as const)('refuses with %s', (kind, model, wanted, taken) => {
    expect(checkLayout(model, wanted, taken)).toMatchObject({ ok: false, why: { kind } });
  });

  it('says which units are free and where the profile could start', () => {
    const there: Placement[] = [
      { profile: '1g.24gb', start: 3, size: 3 },
      { profile: '1g.24gb', start: 6, size: 3 },
    ];
    const answer = checkLayout(rtx, asks('2g.48gb'), there);
    expect(answer.ok ? '' : answer.why.message).toBe(
      'no arrangement holds 2g.48gb (6 units, starts 0 or 6) beside what is there; free units: 0-2, 9-11',
    );
  });

  it('agrees with brute force, whatever the order of the asks', () => {
    fc.assert(
      fc.property(
        anyCard,
        fc.array(fc.record({ pick: fc.nat(), fixed: fc.boolean(), at: fc.nat() }), { maxLength: 5 }),
        (card, picks) => {
          const wanted = picks.map(({ pick, fixed, at }): Ask => {
            const profile = card.profiles[pick % card.profiles.length];
            const start = profile?.starts[at % profile.starts.length];
            return { profile: profile?.name ?? '', ...(fixed && start !== undefined ? { start } : {}) };
          });
          const answer = checkLayout(card, wanted);
          const possible = allLayouts(card).filter((layout) => holdsExactly(layout, wanted));
          expect(answer.ok).toBe(possible.length > 0);
          expect(checkLayout(card, wanted.toReversed())).toEqual(
            answer.ok ? answer : { ok: false, why: expect.anything() as unknown },
          );
          if (answer.ok) expect(possible.map(textOf)).toContain(textOf(answer.placements));
        },
      ),
    );
  });
});

function holdsExactly(layout: readonly Placement[], wanted: readonly Ask[]): boolean {
  const left = [...layout];
  const fixedFirst = wanted.toSorted((a, b) => Number(b.start !== undefined) - Number(a.start !== undefined));
  for (const { profile, start } of fixedFirst) {
    const index = left.findIndex(
      (place) => place.profile === profile && (start === undefined || place.start === start),
    );
    if (index < 0) return false;
    left.splice(index, 1);
  }
  return left.length === 0;
}

function textOf(layout: readonly Placement[]): string {
  return layout
    .map(({ profile, start }) => `${profile}:${start}`)
    .sort()
    .join();
}

function asks(...profiles: string[]): readonly Ask[] {
  return profiles.map((profile) => ({ profile }));
}

function mig(key: string): MigModel {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new Error(`${key} is not in the catalogue`);
  return model;
}
