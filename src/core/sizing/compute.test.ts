import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { profilesFor } from './profiles-for.js';
import { card, migModel, need } from '../../../test/support/sizing-examples.js';

/** The smallest profile that serves, or why none does. */
function smallest(key: string, share: number, of?: string, speeds?: Record<string, number>): string {
  const wish = of === undefined ? { share } : { share, of };
  const { verdict } = profilesFor(need({ compute: wish }), card(key), speeds === undefined ? {} : { speeds });
  return verdict.kind === 'slice' ? verdict.profile : verdict.kind === 'none' ? verdict.cause : verdict.kind;
}

describe('a share of the candidate card, in compute slices', () => {
  it.each([
    [0, '1g.10gb'],
    [0.1428, '1g.10gb'],
    [1 / 7, '1g.10gb'],
    [0.143, '2g.20gb'],
    [0.2, '2g.20gb'],
    [2 / 7, '2g.20gb'],
    [0.3, '3g.40gb'],
    [3 / 7, '3g.40gb'],
    [0.5, '4g.40gb'],
    [4 / 7, '4g.40gb'],
    [0.572, '7g.80gb'],
    [1, '7g.80gb'],
    [1.01, 'compute'],
  ])('%d of an H100 is a %s', (share, profile) => {
    expect(smallest('h100-80gb-sxm', share)).toBe(profile);
  });

  it.each([
    [0.25, '1g.24gb'],
    [0.251, '2g.48gb'],
    [0.5, '2g.48gb'],
    [0.501, '4g.96gb'],
    [1, '4g.96gb'],
  ])('%d of an RTX PRO 6000 is a %s, by quarters', (share, profile) => {
    expect(smallest('rtx-pro-6000-blackwell-server', share)).toBe(profile);
  });

  it('thousandths of a GPU, as traces record them: the smallest g of 1, 2, 3, 4, 7 with milli <= 1000 g / 7', () => {
    for (let milli = 1; milli <= 1000; milli += 1) {
      const g = [1, 2, 3, 4, 7].find((slices) => milli <= (1000 * slices) / 7);
      expect(smallest('a100-80gb', milli / 1000), `${milli} milli`).toMatch(new RegExp(`^${g}g\\.`));
    }
  });

  it('the double-memory 1g has one compute slice: it serves a seventh of an H100 and no more', () => {
    const { fits, rejected } = profilesFor(
      need({ memoryMiB: 15000, compute: { share: 0.2 } }),
      card('h100-80gb-sxm'),
    );
    expect(fits[0]?.profile.name).toBe('2g.20gb');
    expect(rejected.find(({ profile }) => profile === '1g.20gb')?.why.message).toBe(
      'has 1 of 7 compute slices, 2 needed',
    );
  });
});

describe('a share of another card', () => {
  it('the same card is no other card: slices, and no estimate', () => {
    const { fits } = profilesFor(
      need({ compute: { share: 0.2, of: 'h100-80gb-sxm' } }),
      card('h100-80gb-sxm'),
    );
    expect(fits[0]).toMatchObject({ profile: { name: '2g.20gb' }, estimate: false });
  });

  it.each([
    // 0.2 of 132 SMs are 26.4: the 1g.20gb of the PCIe card has 14, its 2g 30.
    ['h100-80gb-pcie', 0.2, 'h100-80gb-sxm', '2g.20gb'],
    // 0.5 of 114 SMs are 57: a 3g of the SXM card has 60.
    ['h100-80gb-sxm', 0.5, 'h100-80gb-pcie', '3g.40gb'],
    // 26 SMs in a 1g.20gb of the SXM card, one slice though it is.
    ['h100-80gb-sxm', 0.22, 'h100-80gb-pcie', '1g.20gb'],
    // All SMs of an A100 are 108; its MIG slices have 98 of them, the whole card has all.
    ['a100-40gb', 1, 'a100-80gb', 'whole-gpu'],
    // An A100 is larger than an A30.
    ['a30-24gb', 0.8, 'a100-40gb', 'compute'],
  ])('on %s, %d of %s: %s, by SMs', (key, share, of, answer) => {
    expect(smallest(key, share, of)).toBe(answer);
  });

  it('is labelled an estimate, and says so', () => {
    const { fits, verdict } = profilesFor(
      need({ compute: { share: 0.2, of: 'h100-80gb-sxm' } }),
      card('h100-80gb-pcie'),
    );
    expect(fits[0]?.estimate).toBe(true);
    expect(verdict.why).toContain('an estimate');
  });

  it.each([
    ['h100-80gb-sxm', 'a100-80gb'],
    // One architecture by name, two designs of SM.
    ['rtx-pro-6000-blackwell-server', 'b200-180gb'],
    // No such card.
    ['h100-80gb-sxm', 'voodoo-2'],
  ])('on %s, of %s: nobody knows, and the message says what would help', (key, of) => {
    const sizing = profilesFor(need({ compute: { share: 0.2, of } }), card(key));
    expect(sizing.verdict).toMatchObject({ kind: 'none', cause: 'compute-unknown' });
    expect(sizing.verdict.why).toContain(`state the speeds of ${of} and ${key}, or measure on ${key}`);
  });

  it("the user's speed ratio answers it, also where SM counts would", () => {
    expect(smallest('h100-80gb-sxm', 0.5, 'a100-80gb', { 'a100-80gb': 0.4, 'h100-80gb-sxm': 1 })).toBe(
      '2g.20gb',
    );
    expect(
      smallest('h100-80gb-pcie', 0.5, 'h100-80gb-sxm', { 'h100-80gb-sxm': 2, 'h100-80gb-pcie': 1 }),
    ).toBe('7g.80gb');
    expect(smallest('h100-80gb-sxm', 0.5, 'a100-80gb', { 'a100-80gb': 0.4 })).toBe('compute-unknown');
  });

  it('where a profile has no SM count, its slices of the card stand in; without the card’s either, nobody knows', () => {
    const h100 = migModel('h100-80gb-sxm');
    const noProfileSms = {
      ...h100,
      key: 'x',
      profiles: h100.profiles.map((profile) => ({ ...profile, sms: null })),
    };
    const wish = { compute: { share: 0.5, of: 'h100-80gb-sxm' } };
    expect(profilesFor(need(wish), noProfileSms).verdict).toMatchObject({ profile: '4g.40gb' });
    expect(profilesFor(need(wish), { ...noProfileSms, sms: null }).verdict).toMatchObject({
      cause: 'compute-unknown',
    });
  });
});

it('a larger share never gets a smaller slice', () => {
  const keys = ['a30-24gb', 'a100-40gb', 'h100-80gb-sxm', 'rtx-pro-6000-blackwell-server'];
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.constantFrom(...keys), share, share, (key, a, b) => {
      const slices = [Math.min(a, b), Math.max(a, b)].map((one) => {
        const { fits } = profilesFor(need({ compute: { share: one } }), card(key));
        return fits[0]?.profile.computeSlices ?? Infinity;
      });
      expect(slices[0]).toBeLessThanOrEqual(slices[1] ?? 0);
    }),
  );
});
