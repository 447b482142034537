import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { migModels, models } from '#core/catalogue/catalogue';
import type { GpuModel } from '#core/catalogue/model';
import { card, migModel, need } from '../../../test/support/sizing-examples.js';
import { usableMemory, withHeadroom } from './memory.js';
import { profilesFor, type CardSizing } from './profiles-for.js';

const gib = 1024;
const rtx = 'rtx-pro-6000-blackwell-server';

const names = (sizing: CardSizing): string[] => sizing.fits.map(({ profile }) => profile.name);
const whyNot = (sizing: CardSizing, profile: string) =>
  sizing.rejected.find((one) => one.profile === profile)?.why;

describe('memory', () => {
  it.each([
    [rtx, 20 * gib, '1g.24gb'],
    // A 1g.24gb gives 23.6 GiB on most drivers, 23.1 on one: with a tenth on top, 21 GiB is the most that is safe.
    [rtx, 21 * gib, '1g.24gb'],
    [rtx, 22 * gib, '2g.48gb'],
    [rtx, 60 * gib, '4g.96gb'],
    ['h100-80gb-sxm', 9000, '1g.10gb'],
    ['h100-80gb-sxm', 9 * gib, '1g.20gb'],
    ['h100-80gb-sxm', 30 * gib, '3g.40gb'],
    ['a30-24gb', 5 * gib, '1g.6gb'],
    ['a30-24gb', 6 * gib, '2g.12gb'],
  ])('on %s, %i MiB get a %s', (key, memoryMiB, profile) => {
    const { verdict } = profilesFor(need({ memoryMiB }), card(key));
    expect(verdict).toMatchObject({ kind: 'slice', profile });
  });

  it('fits are ordered smallest first, and each says what it has left', () => {
    const sizing = profilesFor(need({ memoryMiB: 9 * gib }), card('h100-80gb-sxm'));
    expect(names(sizing)).toEqual(['1g.20gb', '2g.20gb', '3g.40gb', '4g.40gb', '7g.80gb']);
    expect(sizing.fits[0]).toMatchObject({
      memory: { memoryMiB: 20096, from: 'recorded' },
      spareMiB: 20096 - 10138,
      computeShareOfCard: 1 / 7,
      replicasPerSlice: 1,
      estimate: false,
    });
    expect(whyNot(sizing, '1g.10gb')).toEqual({ kind: 'memory', message: 'gives 9.8 GiB, 9.9 GiB needed' });
  });

  it('headroom is added once', () => {
    const exact = need({ memoryMiB: 20096 });
    expect(names(profilesFor(exact, card('h100-80gb-sxm'), { headroom: 0 }))[0]).toBe('1g.20gb');
    expect(names(profilesFor(exact, card('h100-80gb-sxm')))[0]).toBe('3g.40gb');
    // 20096 / 1.1 = 18269.09: the most that still fits once a tenth is added.
    expect(names(profilesFor(need({ memoryMiB: 18269 }), card('h100-80gb-sxm')))[0]).toBe('1g.20gb');
    expect(names(profilesFor(need({ memoryMiB: 18270 }), card('h100-80gb-sxm')))[0]).toBe('3g.40gb');
  });

  it('figures that round alike are told apart in MiB', () => {
    const sizing = profilesFor(need({ memoryMiB: 20097 }), card('h100-80gb-sxm'), { headroom: 0 });
    expect(whyNot(sizing, '1g.20gb')?.message).toBe('gives 20096 MiB, 20097 MiB needed');
  });

  it('a profile whose memory nobody published is refused, unless told what to assume', () => {
    const sizing = profilesFor(need({ memoryMiB: 8000 }), card('h800-80gb'));
    expect(sizing.fits).toEqual([]);
    expect(whyNot(sizing, '1g.10gb')).toMatchObject({ kind: 'memory-unknown' });
    expect(sizing.verdict).toMatchObject({ kind: 'none', cause: 'memory-unknown' });
    const assumed = profilesFor(need({ memoryMiB: 8000 }), card('h800-80gb'), { assumeFromName: 0.88 });
    expect(assumed.fits[0]).toMatchObject({
      profile: { name: '1g.10gb' },
      memory: { memoryMiB: 9011, from: 'name' },
    });
    expect(assumed.verdict.why).toContain('assumed from its name');
  });

  it('a need that states no memory takes a profile whose memory is unknown', () => {
    const { fits } = profilesFor(need({ compute: { share: 0.1 } }), card('h800-80gb'));
    expect(fits[0]).toMatchObject({
      profile: { name: '1g.10gb' },
      memory: { from: 'unknown' },
      spareMiB: null,
    });
  });

  it('0.88 of the name is less than every profile on record gives', () => {
    for (const profile of migModels().flatMap((model) => model.profiles)) {
      const { memoryMiB } = usableMemory(profile);
      const assumed = usableMemory({ ...profile, memoryMiB: null, memoryMiBSeen: [] }, 0.88).memoryMiB;
      if (memoryMiB !== null) expect(memoryMiB, profile.name).toBeGreaterThanOrEqual(assumed ?? Infinity);
    }
  });
});

describe('media', () => {
  it('on an A100 the plain 1g has no engine, the 1g+me has one', () => {
    const sizing = profilesFor(need({ memoryMiB: 3 * gib, media: true }), card('a100-40gb'));
    expect(names(sizing)[0]).toBe('1g.5gb+me');
    expect(whyNot(sizing, '1g.5gb')).toMatchObject({ kind: 'no-media' });
  });

  it('on an RTX PRO 6000 every plain profile has engines: plain first, -me never', () => {
    const sizing = profilesFor(need({ memoryMiB: 3 * gib, media: true }), card(rtx));
    expect(names(sizing)).toEqual([
      '1g.24gb',
      '1g.24gb+me',
      '1g.24gb+me.all',
      '2g.48gb',
      '2g.48gb+me.all',
      '4g.96gb',
    ]);
    expect(whyNot(sizing, '1g.24gb-me')).toMatchObject({ kind: 'no-media' });
    expect(whyNot(sizing, '1g.24gb+gfx')).toMatchObject({ kind: 'attribute' });
  });

  it('engines that nobody published are not counted on', () => {
    const rtxModel = migModel(rtx);
    const engines = { copy: null, decoders: null, encoders: 0, jpeg: null, ofa: null };
    const model = { ...rtxModel, profiles: rtxModel.profiles.map((profile) => ({ ...profile, engines })) };
    const sizing = profilesFor(need({ media: true }), model);
    expect(sizing.fits).toEqual([]);
    expect(sizing.verdict).toMatchObject({ kind: 'none', cause: 'media-unknown' });
  });

  it('who wants no media gets plain profiles only, and -me ones on request', () => {
    expect(names(profilesFor(need(), card(rtx)))).toEqual(['1g.24gb', '2g.48gb', '4g.96gb']);
    expect(names(profilesFor(need(), card(rtx), { withoutMediaEngines: true }))).toContain('1g.24gb-me');
  });
});

describe('graphics', () => {
  it('takes +gfx profiles and no others', () => {
    const sizing = profilesFor(need({ graphics: true }), card(rtx));
    expect(names(sizing)).toEqual(['1g.24gb+gfx', '2g.48gb+gfx', '4g.96gb+gfx']);
    expect(whyNot(sizing, '1g.24gb')).toMatchObject({ kind: 'no-graphics' });
  });

  it('with media too, the +gfx profile must own an engine, and does', () => {
    expect(names(profilesFor(need({ graphics: true, media: true }), card(rtx)))[0]).toBe('1g.24gb+gfx');
  });

  it('a card without +gfx profiles is refused, and not offered whole', () => {
    const { fits, verdict } = profilesFor(need({ graphics: true }), card('h100-80gb-sxm'));
    expect(fits).toEqual([]);
    expect(verdict).toMatchObject({ kind: 'none', cause: 'no-graphics' });
  });
});

describe('whole GPUs', () => {
  it.each([
    [{ p2p: true }, 'p2p', 1],
    [{ gpus: 2 }, 'several-gpus', 2],
    [{ gpus: 4, p2p: true }, 'p2p', 4],
  ] as const)('%j: MIG off, and it says why', (wishes, cause, gpus) => {
    const { fits, rejected, verdict } = profilesFor(need(wishes), card('h100-80gb-sxm'));
    expect(fits).toEqual([]);
    expect(rejected).toHaveLength(migModel('h100-80gb-sxm').profiles.length);
    expect(new Set(rejected.map(({ why }) => why.kind))).toEqual(new Set(['whole-gpu-only']));
    expect(verdict).toMatchObject({ kind: 'whole-gpu', cause, gpus });
    expect(verdict.why).toMatch(/MIG off.*P2P/);
  });

  it('memory of a replica on several GPUs is spread over them', () => {
    const wishes = { memoryMiB: 140 * gib, gpus: 2 };
    expect(profilesFor(need(wishes), card('h100-80gb-sxm')).verdict).toMatchObject({
      kind: 'whole-gpu',
      gpus: 2,
    });
    const { verdict } = profilesFor(need({ ...wishes, memoryMiB: 150 * gib }), card('h100-80gb-sxm'));
    expect(verdict).toMatchObject({ kind: 'none', cause: 'memory' });
    expect(verdict.why).toBe('too big: even the whole card gives 79.6 GiB, 82.5 GiB needed');
  });

  it('a need between the full profile and the card takes the card', () => {
    // 4g.96gb gives 97408 MiB (97280 on some drivers), the card has 97887.
    const { verdict } = profilesFor(need({ memoryMiB: 97500 }), card(rtx), { headroom: 0 });
    expect(verdict).toMatchObject({ kind: 'whole-gpu', cause: 'larger-than-any-slice', gpus: 1 });
  });

  it('memory that the slices do not publish but the card has: the card', () => {
    const { verdict } = profilesFor(need({ memoryMiB: 100 * gib }), card('gb300-278gb'));
    expect(verdict).toMatchObject({ kind: 'whole-gpu', cause: 'slices-unknown' });
  });

  it('more than the card: too big, with the numbers', () => {
    const { verdict } = profilesFor(need({ memoryMiB: 96 * gib }), card(rtx));
    expect(verdict).toEqual({
      kind: 'none',
      cause: 'memory',
      why: 'too big: even the whole card gives 95.6 GiB, 105.6 GiB needed',
    });
  });

  it('a card without MIG is counted whole where its memory is known', () => {
    const noMig: GpuModel = { ...migModel('a30-24gb'), key: 'plain', kind: 'no-mig' };
    const { fits, rejected, verdict } = profilesFor(need({ memoryMiB: 12 * gib }), noMig);
    expect([...fits, ...rejected]).toEqual([]);
    expect(verdict).toMatchObject({
      kind: 'whole-gpu',
      cause: 'no-mig',
      why: 'the whole card: it has no MIG',
    });
    const noMemory = { ...noMig, memoryMiB: null };
    expect(profilesFor(need({ memoryMiB: 12 * gib }), noMemory).verdict).toMatchObject({
      cause: 'memory-unknown',
    });
    expect(profilesFor(need(), noMemory).verdict).toMatchObject({ kind: 'whole-gpu' });
    expect(profilesFor(need({ media: true }), noMig).verdict).toMatchObject({ cause: 'media-unknown' });
  });

  it('a card whose placements are not published is counted whole, and its profiles are named', () => {
    const unmapped = { ...card('rtx-pro-5000-blackwell-48gb'), memoryMiB: 48 * gib };
    const { rejected, verdict } = profilesFor(need({ memoryMiB: 20 * gib }), unmapped);
    expect(verdict).toMatchObject({ kind: 'whole-gpu', cause: 'unmapped' });
    expect(rejected.map(({ profile }) => profile)).toContain('2g.48gb');
    expect(rejected.every(({ why }) => why.kind === 'unmapped')).toBe(true);
  });
});

describe('sharing', () => {
  const shared = { isolation: 'shared' } as const;

  it('replicas per slice by memory, headroom included for each', () => {
    const sizing = profilesFor(need({ ...shared, memoryMiB: 7000 }), card(rtx));
    // 23680 / 7700 = 3.07, 47616 / 7700 = 6.2, 97408 / 7700 = 12.65.
    expect(sizing.fits.map((fit) => fit.replicasPerSlice)).toEqual([3, 6, 12]);
    expect(sizing.fits[0]?.spareMiB).toBe(23680 - 3 * 7700);
  });

  it('by compute, where that is less', () => {
    const wishes = { ...shared, memoryMiB: 100, compute: { share: 0.1 } };
    expect(profilesFor(need(wishes), card(rtx)).fits.map((fit) => fit.replicasPerSlice)).toEqual([2, 5, 10]);
  });

  it('says what is lost', () => {
    const { verdict } = profilesFor(need({ ...shared, memoryMiB: 7000 }), card(rtx));
    expect(verdict.why).toMatch(/shared by 3 replicas.*no memory or fault isolation.*latency is not steady/);
    const alone = profilesFor(need({ ...shared, memoryMiB: 20 * gib }), card(rtx));
    expect(alone.verdict.why).not.toContain('shared');
  });

  it('never shares what nothing measures, whole GPUs with P2P, or without leave', () => {
    const replicas = (sizing: CardSizing) => sizing.fits.map((fit) => fit.replicasPerSlice);
    expect(replicas(profilesFor(need(shared), card(rtx)))).toEqual([1, 1, 1]);
    expect(replicas(profilesFor(need({ memoryMiB: 100 }), card(rtx)))).toEqual([1, 1, 1]);
    const p2p = profilesFor(need({ ...shared, memoryMiB: 100, p2p: true }), card(rtx));
    expect(p2p.verdict).toMatchObject({ kind: 'whole-gpu', replicasPerGpu: 1 });
  });

  it('stops at the most clients that a device plugin allows', () => {
    const { fits } = profilesFor(need({ ...shared, memoryMiB: 10 }), card(rtx));
    expect(fits.map((fit) => fit.replicasPerSlice)).toEqual([48, 48, 48]);
  });

  it('a card without MIG is shared too', () => {
    const noMig: GpuModel = { ...migModel('a30-24gb'), key: 'plain', kind: 'no-mig' };
    const { verdict } = profilesFor(need({ ...shared, memoryMiB: 5000 }), noMig);
    expect(verdict).toMatchObject({ kind: 'whole-gpu', replicasPerGpu: 4 });
  });
});

describe('over all cards and needs', () => {
  const anyNeed = fc
    .record(
      {
        memoryMiB: fc.integer({ min: 1, max: 300_000 }),
        compute: fc.record({ share: fc.double({ min: 0, max: 1.2, noNaN: true }) }),
        gpus: fc.constantFrom(1, 1, 1, 2),
        p2p: fc.constantFrom(false, false, false, true),
        media: fc.boolean(),
        graphics: fc.constantFrom(false, false, true),
        isolation: fc.constantFrom('hardware' as const, 'shared' as const),
      },
      { requiredKeys: ['gpus', 'p2p', 'media', 'graphics', 'isolation'] },
    )
    .map((wishes) => need(wishes));

  it('every profile is either a fit or a rejection with a message', () => {
    fc.assert(
      fc.property(anyNeed, fc.constantFrom(...models()), (one, model) => {
        const { fits, rejected } = profilesFor(one, model);
        const all =
          model.kind === 'mig'
            ? model.profiles.map(({ name }) => name)
            : model.kind === 'unmapped'
              ? model.profileNames
              : [];
        const answered = [
          ...fits.map(({ profile }) => profile.name),
          ...rejected.map(({ profile }) => profile),
        ];
        expect(answered.toSorted()).toEqual([...all].sort());
        for (const { why } of rejected) expect(why.message.length).toBeGreaterThan(10);
      }),
    );
  });

  it('a fit satisfies every wish, for as many replicas as it says', () => {
    fc.assert(
      fc.property(anyNeed, fc.constantFrom(...migModels()), (one, model) => {
        for (const { profile, replicasPerSlice } of profilesFor(one, model).fits) {
          const memoryMiB = Math.min(...(profile.memoryMiBSeen ?? []), profile.memoryMiB ?? Infinity);
          const { decoders, encoders, jpeg } = profile.engines;
          expect(one.gpus === 1 && !one.p2p).toBe(true);
          if (one.memoryMiB !== undefined) {
            expect(replicasPerSlice * withHeadroom(one.memoryMiB, 0.1)).toBeLessThanOrEqual(memoryMiB);
          }
          const share = one.compute?.share ?? 0;
          expect(replicasPerSlice * share * model.computeSlices).toBeLessThanOrEqual(
            profile.computeSlices + 1e-6,
          );
          if (one.media) expect((decoders ?? 0) + (encoders ?? 0) + (jpeg ?? 0)).toBeGreaterThan(0);
          if (one.graphics) expect(profile.attribute).toBe('+gfx');
          if (one.isolation === 'hardware') expect(replicasPerSlice).toBe(1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('more memory never gets a smaller slice', () => {
    const memory = fc.integer({ min: 1, max: 200_000 });
    fc.assert(
      fc.property(fc.constantFrom(...migModels()), memory, memory, (model, a, b) => {
        const units = [Math.min(a, b), Math.max(a, b)].map(
          (memoryMiB) => profilesFor(need({ memoryMiB }), model).fits[0]?.profile.sizeUnits ?? Infinity,
        );
        expect(units[0]).toBeLessThanOrEqual(units[1] ?? 0);
      }),
      { numRuns: 300 },
    );
  });

  it('more headroom never adds a fit', () => {
    fc.assert(
      fc.property(
        anyNeed,
        fc.constantFrom(...migModels()),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (one, model, headroom) => {
          const without = names(profilesFor(one, model, { headroom: 0 }));
          expect(without).toEqual(expect.arrayContaining(names(profilesFor(one, model, { headroom }))));
        },
      ),
    );
  });
});
