import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelByKey } from '../catalogue/catalogue.js';
import type { MigModel } from '../catalogue/model.js';
import { checkLayout } from '../geometry/check.js';
import { asArgument, type Placement } from '../geometry/placement.js';
import { layoutOf, spaceOf } from '../geometry/space.js';
import { statesOf } from '../geometry/states.js';
import { placeBeside } from './place-beside.js';

const h100 = mig('h100-80gb-sxm');

function mig(key: string): MigModel {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new Error(key);
  return model;
}

function slice(text: string, busy = false) {
  const [profile = '', start = ''] = text.split(':');
  const size = h100.profiles.find(({ name }) => name === profile)?.sizeUnits ?? 0;
  return { placement: { profile, start: Number(start), size }, busy };
}

function placed(asks: readonly string[], standing: readonly ReturnType<typeof slice>[]): string {
  const asked = asks.map((text) => {
    const [profile = '', start] = text.split(':');
    return { profile, ...(start === undefined ? {} : { start: Number(start) }) };
  });
  const answer = placeBeside(h100, asked, standing);
  return answer.ok ? answer.placements.map(asArgument).join(',') : answer.why.kind;
}

describe('placeBeside', () => {
  it('takes over what is there', () => {
    expect(placed(['1g.10gb', '3g.40gb'], [slice('1g.10gb:2')])).toBe('1g.10gb:2,3g.40gb:4');
  });

  it('keeps busy slices before free ones', () => {
    expect(placed(['1g.10gb'], [slice('1g.10gb:2'), slice('1g.10gb:5', true)])).toBe('1g.10gb:5');
  });

  it('gives up what is in the way of the rest, and of that as little as it can', () => {
    const standing = [slice('1g.10gb:1'), slice('1g.10gb:4'), slice('1g.10gb:5')];
    expect(placed(['4g.40gb', '1g.10gb', '1g.10gb', '1g.10gb'], standing)).toMatch(
      /^4g.40gb:0,1g.10gb:4,1g.10gb:5,1g.10gb:6$/,
    );
  });

  it('a start that is named is kept to', () => {
    expect(placed(['1g.10gb:6', '1g.10gb'], [slice('1g.10gb:6'), slice('1g.10gb:1')])).toBe(
      '1g.10gb:1,1g.10gb:6',
    );
  });

  it('refuses what the card cannot hold, whatever stands on it', () => {
    expect(placed(['3g.40gb', '3g.40gb', '1g.10gb'], [slice('1g.10gb:0')])).toBe('no-room');
    expect(placed(['1g.5gb'], [])).toBe('unknown-profile');
  });

  it('nothing asked is an empty card', () => {
    expect(placed([], [slice('1g.10gb:0', true)])).toBe('');
  });

  it('any counts that fit alone fit beside anything, and what is wanted as it stands changes nothing', () => {
    const space = spaceOf(h100);
    const states = statesOf(space);
    const anyLayout = fc
      .integer({ min: 0, max: states.length - 1 })
      .map((index): readonly Placement[] => layoutOf(space, states[index]?.slots ?? []));
    fc.assert(
      fc.property(anyLayout, anyLayout, (before, after) => {
        const standing = before.map((placement) => ({ placement, busy: false }));
        const asks = after.map(({ profile }) => ({ profile }));
        const answer = placeBeside(h100, asks, standing);
        expect(answer.ok).toBe(true);
        if (!answer.ok) return;
        expect(answer.placements.map(({ profile }) => profile).sort()).toEqual(
          asks.map(({ profile }) => profile).sort(),
        );
        expect(checkLayout(h100, answer.placements).ok).toBe(true);
        const again = placeBeside(
          h100,
          asks,
          after.map((placement) => ({ placement, busy: false })),
        );
        expect(again).toEqual({ ok: true, placements: after });
      }),
      { numRuns: 200 },
    );
  });
});
