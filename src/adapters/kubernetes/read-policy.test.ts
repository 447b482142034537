/** What a policy says, whatever a cluster lets through: each field that cannot be followed is named. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPolicy } from './read-policy.js';

const metadata = {
  name: 'a',
  uid: 'u',
  resourceVersion: '7',
  generation: 3,
  creationTimestamp: '2026-11-24T10:00:00Z',
};

function whyOf(spec: unknown): string {
  const { seen } = readPolicy({ metadata, spec });
  return seen.ok ? '' : seen.why;
}

const window = { start: '22:00', durationMinutes: 60 };

describe('a policy that cannot be followed', () => {
  it.each([
    [undefined, 'spec is missing'],
    ['Auto', 'spec: "Auto" is not an object'],
    [{ mode: 'auto' }, 'spec.mode: "auto" is not one of Recommend, Auto'],
    [{ backend: 'eks' }, 'spec.backend: "eks" is not one of gpu-operator, gke'],
    [{ maxUnavailable: 0 }, 'spec.maxUnavailable: 0 is not a whole number from 1 to 1000'],
    [{ maxUnavailable: '25%' }, 'spec.maxUnavailable: "25%" is not a whole number from 1 to 1000'],
    [{ pendingSeconds: -1 }, 'spec.pendingSeconds: -1 is not a whole number from 0 to 86400'],
    [{ cooldownSeconds: 1.5 }, 'spec.cooldownSeconds: 1.5 is not a whole number from 0 to 604800'],
    [
      { allowedProfiles: ['1g.24gb', '1c.3g.40gb'] },
      'spec.allowedProfiles[1]: "1c.3g.40gb" is neither the name of a profile, as 1g.24gb or 1g.24gb+me, nor whole',
    ],
    [
      { allowedProfiles: [] },
      'spec.allowedProfiles: [] is not a list of at least one; leave it out for whatever serves',
    ],
    [{ nodeSelector: { pool: 3 } }, 'spec.nodeSelector.pool: 3 is not a value that a label can have'],
    [
      { nodeSelector: { 'no such key': 'x' } },
      'spec.nodeSelector: "no such key" is not a name that a label can have',
    ],
    [
      { maintenanceWindows: [{ ...window, start: undefined }] },
      'spec.maintenanceWindows[0].start is missing',
    ],
    [
      { maintenanceWindows: [window, { ...window, start: '9:00' }] },
      'spec.maintenanceWindows[1].start: "9:00" is not a time of day from 00:00 to 23:59',
    ],
    [
      { maintenanceWindows: [{ ...window, durationMinutes: 10_081 }] },
      'spec.maintenanceWindows[0].durationMinutes: 10081 is not a whole number from 1 to 10080',
    ],
    [
      { maintenanceWindows: [{ ...window, timeZone: 'Mars/Olympus_Mons' }] },
      'spec.maintenanceWindows[0].timeZone: "Mars/Olympus_Mons" is a time zone that is not known; the names are those of IANA',
    ],
    [
      { maintenanceWindows: [{ ...window, timeZone: '+01:00' }] },
      'spec.maintenanceWindows[0].timeZone: "+01:00" is not a name of a time zone, as Europe/Berlin',
    ],
    [
      { maintenanceWindows: [{ ...window, days: ['Monday'] }] },
      'spec.maintenanceWindows[0].days[0]: "Monday" is not one of Mon, Tue, Wed, Thu, Fri, Sat, Sun',
    ],
    [
      { maintenanceWindows: [{ ...window, days: [] }] },
      'spec.maintenanceWindows[0].days: [] is not a list of at least one; leave it out for every day',
    ],
    [
      { mode: 'x', maxUnavailable: 0 },
      'spec.mode: "x" is not one of Recommend, Auto; spec.maxUnavailable: 0 is not a whole number from 1 to 1000',
    ],
  ])('%j', (spec, why) => {
    expect(whyOf(spec)).toBe(why);
  });

  it('says a few of many mistakes, and cuts long values', () => {
    const long = 'x'.repeat(100_000);
    const maintenanceWindows = Array.from({ length: 1000 }, () => ({ start: long, durationMinutes: 0 }));
    const why = whyOf({ maintenanceWindows });
    expect(why.length).toBeLessThan(1000);
    expect(why).toMatch(/; and more$/);
  });
});

describe('a policy', () => {
  it('whose fields were emptied is one with what is left out filled in', () => {
    const emptied = {
      nodeSelector: null,
      allowedProfiles: null,
      maintenanceWindows: null,
      mode: null,
      pendingSeconds: null,
    };
    const [left, empty] = [readPolicy({ metadata, spec: {} }), readPolicy({ metadata, spec: emptied })];
    expect(left.seen.ok).toBe(true);
    expect(empty).toEqual(left);
    expect(left.seen.policy).toMatchObject({
      name: 'a',
      uid: 'u',
      generation: 3,
      createdMs: Date.UTC(2026, 10, 24, 10),
    });
  });

  it.each([
    '1g.24gb',
    '1g.24gb+me',
    '1g.24gb+me.all',
    '2g.48gb+gfx',
    '1g.24gb-me',
    '7g.80gb',
    'whole',
    '1g.5gb',
  ])('may name %s', (profile) => {
    expect(whyOf({ allowedProfiles: [profile] })).toBe('');
  });

  it('anything at all: is followed, or says which field it is', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (spec, status) => {
        const { seen } = readPolicy({ metadata, spec, status });
        if (!seen.ok) expect(seen.why).toMatch(/^spec\b/);
      }),
    );
  });

  it('what is no object of a cluster is not read', () => {
    for (const raw of [null, {}, { metadata: {} }, { metadata: { name: 3 } }, 'html'])
      expect(() => readPolicy(raw)).toThrow();
  });
});
