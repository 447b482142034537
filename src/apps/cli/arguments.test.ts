import { describe, expect, it } from 'vitest';
import { MicaError } from '#core/errors';
import { asksOf, migModelNamed, modelAndRest, modelNamed, numberBetween, wholeNumber } from './arguments.js';
import { sizingFrom } from './settings.js';

function complaintOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof MicaError) return `${error.code}: ${error.message} / ${error.next}`;
    throw error;
  }
  return 'none';
}

describe('modelAndRest', () => {
  it.each([
    [undefined, 'h100', ['3g.40gb'], { model: 'h100', rest: ['3g.40gb'] }],
    ['h100', '3g.40gb', ['1g.10gb'], { model: 'h100', rest: ['3g.40gb', '1g.10gb'] }],
    ['h100', undefined, [], { model: 'h100', rest: [] }],
  ])('--gpu %s, %s %j', (gpu, first, others, wanted) => {
    expect(modelAndRest(gpu, first, others)).toEqual(wanted);
  });

  it.each([undefined, '3g.40gb', '1c.3g.40gb'])('misses the model before %s', (first) => {
    expect(complaintOf(() => modelAndRest(undefined, first))).toContain('bad-usage: no GPU model is named');
  });
});

it('a model that is not known, not unique or cannot be cut ends the command with what to name instead', () => {
  expect(complaintOf(() => modelNamed('h1000'))).toContain('unknown-model');
  expect(complaintOf(() => modelNamed('h200'))).toContain('Name one model, e.g. h200-141gb');
  expect(complaintOf(() => migModelNamed('t4'))).toContain('no-mig: t4-16gb has no MIG');
  expect(complaintOf(() => migModelNamed('thor-igpu'))).toContain('placements were never published');
});

describe('asksOf', () => {
  it('takes profiles one by one or with commas, by name or id', () => {
    expect(asksOf(['3g.40gb:4,1g.10gb', '19'])).toEqual([
      { profile: '3g.40gb', start: 4 },
      { profile: '1g.10gb' },
      { profile: '19' },
    ]);
  });

  it.each(['', '3g.40gb:', '3g.40gb:x', '3g.40gb:-1', ':4', '3g.40gb:4:4', '1g.10gb=2', '3g.40gb,'])(
    "refuses '%s'",
    (text) => {
      expect(complaintOf(() => asksOf([text]))).toContain('is not PROFILE or PROFILE:START');
    },
  );
});

it.each(['-1', '1.5', '', 'x', '17', '1e1', '0x1', ' 1'])("'%s' is no number of GPUs", (text) => {
  expect(complaintOf(() => wholeNumber('--gpus', text, 1, 16))).toContain(
    `--gpus must be a whole number from 1 to 16, got '${text}'`,
  );
});

it.each(['-0.1', '.', '2.1', 'NaN', '1e-3', ''])("'%s' is no headroom", (text) => {
  expect(complaintOf(() => numberBetween('--headroom', text, 0, 2))).toContain(
    'must be a number from 0 to 2',
  );
});

describe('sizingFrom', () => {
  it('a flag beats the environment, the environment beats the default', async () => {
    expect(await sizingFrom({ headroom: '0.3' }, { MICA_HEADROOM: '0.2' })).toMatchObject({ headroom: 0.3 });
    expect(await sizingFrom({}, { MICA_HEADROOM: '0.2' })).toMatchObject({ headroom: 0.2 });
    expect(await sizingFrom({}, {})).toEqual({ headroom: 0.1, withoutMediaEngines: false });
  });

  it('reads speeds by any name of a card', async () => {
    const sizing = await sizingFrom({ speeds: 'h100=2,a100-80gb=1', assumeMemory: '0.88' }, {});
    expect(sizing).toMatchObject({ speeds: { 'h100-80gb-sxm': 2, 'a100-80gb': 1 }, assumeFromName: 0.88 });
    await expect(sizingFrom({ speeds: 'h100' }, {})).rejects.toThrow('--speeds h100 must be a number');
  });
});
