import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { migModels, modelByKey } from './catalogue.js';
import { findProfile, type ProfileRefusal } from './find-profile.js';
import type { MigModel } from './model.js';

const rtx = 'rtx-pro-6000-blackwell-server';

function card(key: string): MigModel {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new Error(`${key} has no profiles`);
  return model;
}

function refusal(key: string, name: string): ProfileRefusal {
  const answer = findProfile(card(key), name);
  if (answer.ok) throw new Error(`${name} is a profile of ${key}`);
  return answer.why;
}

describe('findProfile', () => {
  test.each([
    ['1g.24gb+me', '1g.24gb+me'],
    ['1G.24GB+ME', '1g.24gb+me'],
    ['1g.24gb.me', '1g.24gb+me'],
    ['1g.24gb.gfx', '1g.24gb+gfx'],
    ['1g.24gb-me', '1g.24gb-me'],
    ['mig-1g.24gb', '1g.24gb'],
    ['MIG 1g.24gb', '1g.24gb'],
    ['nvidia.com/mig-1g.24gb.me.all', '1g.24gb+me.all'],
    ['nvidia.com/mig-2g.48gb.shared', '2g.48gb'],
    [' 4g.96gb ', '4g.96gb'],
    ['0', '4g.96gb'],
    ['65', '1g.24gb+me.all'],
  ])('%s is %s', (asked, name) => {
    expect(findProfile(card(rtx), asked)).toMatchObject({ ok: true, profile: { name } });
  });

  test('3g.72gb on an RTX PRO 6000: listed by some, on no driver, and what to use', () => {
    for (const edition of [rtx, 'rtx-pro-6000-blackwell-workstation', 'rtx-pro-6000-blackwell-maxq']) {
      for (const spelling of ['3g.72gb', 'nvidia.com/mig-3g.72gb', '3G.72GB+ME']) {
        const { message, instead } = refusal(edition, spelling);
        expect(message).toContain('sometimes listed for this card but exists on no driver');
        expect(message).toContain('only the GH200 144GB has a profile of that name');
        expect(message).toContain('use 2g.48gb or 4g.96gb');
        expect(instead).toEqual(['2g.48gb', '4g.96gb']);
      }
    }
    expect(findProfile(card('gh200-144gb'), '3g.72gb').ok).toBe(true);
  });

  test('a profile of another model: whose it is, and the nearest here', () => {
    expect(refusal('h100-80gb-sxm', '1g.5gb')).toMatchObject({
      message: expect.stringContaining('it is a profile of a100-40gb'),
      instead: ['1g.10gb'],
    });
    expect(refusal('h100-80gb-sxm', '1g.24gb').instead).toEqual(['1g.20gb', '3g.40gb']);
    expect(refusal('h100-80gb-sxm', '7g.94gb').instead).toEqual(['7g.80gb']);
    expect(refusal(rtx, '3g.48gb').instead).toEqual(['2g.48gb', '4g.96gb']);
    expect(refusal(rtx, '9g.999gb')).toMatchObject({
      message: expect.stringContaining('no GPU that Mica knows has one'),
      instead: ['4g.96gb'],
    });
  });

  test('a compute instance is recognised and not planned', () => {
    expect(refusal('h100-80gb-sxm', '1c.3g.40gb')).toMatchObject({
      message: expect.stringContaining('a compute instance inside a GPU instance'),
      instead: ['3g.40gb', '1g.10gb'],
    });
    expect(refusal('h100-80gb-sxm', '2c.3g.40gb').instead).toEqual(['3g.40gb', '2g.20gb']);
    expect(refusal(rtx, '1c.3g.40gb').instead).toEqual(['1g.24gb', '2g.48gb', '4g.96gb']);
  });

  test('an ending that the slice does not come with', () => {
    const { message, instead } = refusal('h100-80gb-sxm', '1g.10gb+gfx');
    expect(message).toContain('has 1g.10gb, but not with +gfx');
    expect(message).toContain(rtx);
    expect(instead).toEqual(['1g.10gb', '1g.10gb+me']);
    expect(refusal(rtx, '2g.48gb.me').instead).toEqual([
      '2g.48gb',
      '2g.48gb+gfx',
      '2g.48gb+me.all',
      '2g.48gb-me',
    ]);
  });

  test.each([
    ['a30-24gb', '3g.24gb', ['2g.12gb', '4g.24gb']],
    ['a100-80gb', '3g.39gb', ['3g.40gb']],
    ['gb200-186gb', '7g.189gb', ['7g.186gb']],
  ])('%s: %s stands in some list or driver, and the answer says which', (key, name, instead) => {
    expect(refusal(key, name).instead).toEqual(instead);
  });

  test.each([
    ['1g24gb', '1g.24gb'],
    ['1g.24bg', '1g.24gb'],
    ['2g.48g', '2g.48gb'],
    ['1g.24gb+mee', '1g.24gb+me'],
    ['4g', '4g.96gb'],
  ])('%s is a slip of %s', (typed, meant) => {
    const { message, instead } = refusal(rtx, typed);
    expect(instead).toContain(meant);
    expect(message).toContain('did you mean');
  });

  test('an id of another family, or no name at all, gets the list', () => {
    expect(refusal(rtx, '19').message).toContain('its ids are 14 (1g.24gb)');
    for (const asked of ['19', '', 'whole card']) {
      expect(refusal(rtx, asked).instead).toEqual(['1g.24gb', '2g.48gb', '4g.96gb']);
    }
  });

  test('a card that is not in the catalogue is answered from its own profiles', () => {
    const { profiles } = card(rtx);
    const live: MigModel = { ...card(rtx), key: 'gpu-0', profiles: profiles.slice(0, 1) };
    expect(findProfile(live, '14')).toMatchObject({ ok: true, profile: { name: '1g.24gb' } });
    expect(findProfile(live, '2g.48gb')).toMatchObject({ ok: false, why: { instead: ['1g.24gb'] } });
  });
});

describe('on every model', () => {
  const every = migModels().flatMap((model) => model.profiles.map((profile) => ({ model, profile })));

  test('every profile is found by its name, its id and its Kubernetes resource', () => {
    for (const { model, profile } of every) {
      const resource = `nvidia.com/mig-${profile.name.replace('+', '.')}`;
      for (const asked of [profile.name, profile.name.toUpperCase(), String(profile.id), resource]) {
        const answer = findProfile(model, asked);
        expect(answer.ok && answer.profile, `${model.key} ${asked}`).toBe(profile);
      }
    }
  });

  test('a refusal names the model, and profiles of it to use instead, none twice', () => {
    const name = fc.oneof(
      fc.constantFrom(...every.map(({ profile }) => profile.name)),
      fc.tuple(fc.nat(9), fc.nat(300)).map(([slices, gb]) => `${slices}g.${gb}gb`),
      fc.tuple(fc.nat(4), fc.constantFrom(...every)).map(([c, { profile }]) => `${c}c.${profile.name}`),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...migModels().map((one) => one.key)), name, (key, asked) => {
        const model = card(key);
        const answer = findProfile(model, asked);
        if (answer.ok) return;
        const { instead, message } = answer.why;
        const names = model.profiles.map((profile) => profile.name);
        expect(instead.length).toBeGreaterThan(0);
        expect(new Set(instead).size).toBe(instead.length);
        expect(message).toMatch(new RegExp(`${key}|is a compute instance`));
        for (const other of instead) {
          expect(names).toContain(other);
          if (!message.includes('its ids are')) expect(message).toContain(other);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
