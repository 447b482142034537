/** One rule of the audit, one line: what was seen, and what is said of it. */
import { describe, expect, it } from 'vitest';
import { modelByKey } from '#core/catalogue/catalogue';
import type { GpuModel } from '#core/catalogue/model';
import { defaultPrices } from '#core/cost/default-prices';
import type { ObservedWorkload } from '../observe/observation.js';
import {
  deviceClass,
  madeTimeline,
  madeWorkload,
  statsFrom,
  type Given,
} from '../../../test/support/made-observation.js';
import { assess, type Judged } from './assess.js';
import { settingOf, type AuditOptions } from './options.js';

const h100 = 'h100-80gb-sxm';
const rtx = 'rtx-pro-6000-blackwell-server';

function card(key: string): GpuModel {
  const model = modelByKey(key);
  if (model === undefined) throw new RangeError(key);
  return model;
}

function judged(given: Omit<Given, 'workload'>, options: Partial<AuditOptions> = {}): Judged {
  const all = { strategy: 'peak', prices: defaultPrices, gpu: card(h100), ...options } as const;
  return assess(madeWorkload({ workload: 'bert', ...given }), settingOf(all)).judged;
}

function shared(identical: number, samples: number): Partial<ObservedWorkload> {
  return { shared: { identical, samples, others: ['team/a', 'team/b'] } };
}

const quiet = [[0.05, 10_080]] as const;

describe('the verdict', () => {
  // prettier-ignore
  it.each<[string, Omit<Given, 'workload'>, string, string | null, RegExp]>([
    ['memory that fits', { memory: [[8000, 10_080]], smActive: quiet }, 'slice', '1g.10gb', /^peaks at 7\.8 GiB; with 10% headroom, 8\.6 GiB, 1g\.10gb \(9\.8 GiB\) is the smallest/],
    ['headroom decides', { memory: [[9500, 10_080]], smActive: quiet }, 'slice', '1g.20gb', /10\.2 GiB/],
    ['no memory figure', { memory: null, smActive: quiet }, 'unknown', null, /not the same as none used.*DCGM_FI_DEV_FB_USED/],
    ['too few samples', { memory: [[8000, 99]] }, 'unknown', null, /^99 samples.*at least 100.*about 1 minute more/],
    ['just enough samples', { memory: [[8000, 100]] }, 'slice', '1g.10gb', /./],
    ['time-sliced duplicates', { more: shared(900, 1000) }, 'unknown', null, /team\/a and team\/b.*900 of 1,000.*KUBERNETES_VIRTUAL_GPUS/],
    ['duplicates now and then', { more: shared(400, 500) }, 'slice', '1g.10gb', /./],
    ['shared, each with its own figures', { more: shared(10, 5000) }, 'slice', '1g.10gb', /./],
    ['never used', { memory: [[4, 10_080]], grEngine: [[0.001, 10_080]] }, 'no-gpu', null, /never used more than 4 MiB, and was never active/],
    ['never used, activity not known', { memory: [[100, 10_080]] }, 'no-gpu', null, /never used more than 100 MiB/],
    ['little memory, but active', { memory: [[100, 10_080]], smActive: [[0.02, 10_080]] }, 'slice', '1g.10gb', /./],
    ['little memory of slices, idle', { memory: [[130, 10_080]], smActive: [[0, 10_080]] }, 'share', '1g.10gb', /./],
    ['several whole GPUs', { gpusAtOnce: 4, smActive: quiet }, 'whole-gpu', null, /held 4 whole GPUs at once.*P2P, NCCL/],
    ['several whole GPUs, idle', { gpusAtOnce: 2, smActive: [[0, 10_080]] }, 'whole-gpu', null, /idle at least three quarters/],
    ['the full profile', { memory: [[60_000, 10_080]], smActive: quiet }, 'whole-gpu', '7g.80gb', /is the whole card of h100-80gb-sxm/],
    ['more than any profile', { memory: [[80_000, 10_080]], smActive: quiet }, 'whole-gpu', null, /no slice serves it.*even the whole card/],
    ['idle three quarters of the time', { memory: [[8000, 10_080]], smActive: [[0, 8000], [0.9, 2080]], }, 'share', '1g.10gb', /several such may take turns on one 1g\.10gb, without a memory limit/],
    ['idle less than that', { memory: [[8000, 10_080]], grEngine: [[0, 7000], [0.9, 3080]], }, 'slice', '1g.10gb', /./],
    ['idle, but in need of the card', { memory: [[60_000, 10_080]], smActive: [[0, 10_080]] }, 'whole-gpu', '7g.80gb', /./],
  ])('%s', (_name, given, verdict, profile, why) => {
    const answer = judged(given);
    expect([answer.verdict, answer.recommended?.profile ?? null]).toEqual([verdict, profile]);
    expect(answer.why).toMatch(why);
  });

  it('holds no slice of a card without MIG, and says so', () => {
    const answer = judged({ memory: [[8000, 10_080]] }, { gpu: card('l4-24gb') });
    expect([answer.verdict, answer.recommended]).toEqual(['whole-gpu', null]);
    expect(answer.why).toContain('it has no MIG');
  });

  it('recommends the cheapest slice where no card is asked for', () => {
    const setting = settingOf({ strategy: 'peak', prices: defaultPrices });
    const { judged: answer } = assess(madeWorkload({ workload: 'a', memory: [[20_000, 10_080]] }), setting);
    expect(answer.recommended).toEqual({ model: rtx, profile: '1g.24gb' });
    expect(answer.alternatives[0]).toEqual({ model: 'a100-80gb', profile: '3g.40gb' });
    expect(answer.alternatives).toContainEqual({ model: h100, profile: '3g.40gb' });
  });

  it('names the next larger slice where the limit is near', () => {
    const near = judged({ memory: [[8900, 10_080]], smActive: quiet });
    expect(near.recommended?.profile).toBe('1g.10gb');
    expect(near.alternatives).toContainEqual({ model: h100, profile: '1g.20gb' });
    const far = judged({ memory: [[7000, 10_080]], smActive: quiet });
    expect(far.alternatives.filter(({ model }) => model === h100)).toEqual([]);
  });

  it('takes what the user says where the source does not know the card', () => {
    const on = { model: null, productName: null, profile: null, samples: 10_080 };
    const given = { on, memory: [[8000, 10_080]], smActive: [[0.5, 10_080]] } as const;
    expect(judged(given).current).toEqual({ model: null, profile: null });
    // Half of whatever card it is: four of seven compute slices.
    expect(judged(given).recommended?.profile).toBe('4g.40gb');
    const told = judged(given, { measuredOn: { model: h100, profile: '3g.40gb' } });
    expect(told.current).toEqual({ model: h100, profile: '3g.40gb' });
    expect(told.recommended?.profile).toBe('2g.20gb');
  });
});

describe('compute', () => {
  it('drives the size where SMs ask for more than memory, and says what p95 would give', () => {
    const smActive = [
      [0.1, 9800],
      [0.5, 280],
    ] as const;
    const answer = judged({ memory: [[3000, 10_080]], smActive });
    expect(answer.recommended?.profile).toBe('4g.40gb');
    expect(answer.why).toMatch(
      /compute drives the size: memory alone would do with 1g\.10gb.*peaks at 50%.*p95, 10%, would give 1g\.10gb.*slower, it does not kill/,
    );
    expect(judged({ memory: [[3000, 10_080]], smActive }, { strategy: 'p95' }).recommended?.profile).toBe(
      '1g.10gb',
    );
  });

  it('is a share of the card, not of the slice that it was measured on', () => {
    const answer = judged({
      on: deviceClass(h100, '2g.20gb'),
      memory: [[3000, 10_080]],
      smActive: [[0.9, 10_080]],
    });
    expect(answer.recommended?.profile).toBe('2g.20gb');
  });

  it('takes the kind of device that asks for the most', () => {
    const slow = {
      ...deviceClass(h100, '1g.10gb'),
      metric: 'sm-active',
      stats: statsFrom([1, 9000]),
    } as const;
    const fast = { ...deviceClass(h100), metric: 'sm-active', stats: statsFrom([0.4, 1000]) } as const;
    const answer = judged({ memory: [[3000, 10_080]], more: { activity: [slow, fast] } });
    expect(answer.compute).toMatchObject({ on: { model: h100, profile: null }, max: 0.4 });
    expect(answer.recommended?.profile).toBe('3g.40gb');
  });

  it('is bounded by the time in which something ran: enough is enough', () => {
    const answer = judged({ memory: [[3000, 10_080]], grEngine: [[0.1, 10_080]] });
    expect([answer.recommended?.profile, answer.confidence]).toEqual(['1g.10gb', 'high']);
  });

  it('is not known where that bound is above the slice', () => {
    const answer = judged({ memory: [[3000, 10_080]], grEngine: [[0.9, 10_080]] });
    expect([answer.recommended?.profile, answer.confidence]).toEqual(['1g.10gb', 'medium']);
    expect(answer.why).toMatch(/up to 90% of the time.*DCGM_FI_PROF_SM_ACTIVE.*may be slower/);
    expect(answer.confidenceWhy.join()).toContain('how many SMs it uses is not known');
  });

  it('never shrinks a slice of several compute slices for a lower bound alone', () => {
    const on = deviceClass(h100, '4g.40gb');
    const bound = judged({ on, memory: [[30_000, 10_080]], grEngine: [[0.1, 10_080]] });
    expect(bound.recommended?.profile).toBe('4g.40gb');
    expect(bound.compute?.lowerBound).toBe(true);
    expect(bound.why).toContain('lower bound');
    const known = judged({ on, memory: [[30_000, 10_080]], smActive: [[0.1, 10_080]] });
    expect([known.recommended?.profile, known.compute?.lowerBound]).toEqual(['3g.40gb', false]);
    // Memory may shrink it all the same, and then nobody knows whether it is slower.
    const smaller = judged({ on, memory: [[9000, 10_080]], grEngine: [[0.1, 10_080]] });
    expect([smaller.recommended?.profile, smaller.confidence]).toEqual(['1g.10gb', 'medium']);
  });

  it('does not convert to another chip design without a ratio', () => {
    const given = { memory: [[3000, 10_080]], smActive: [[0.9, 10_080]] } as const;
    const unknown = judged(given, { gpu: card(rtx) });
    expect([unknown.recommended?.profile, unknown.confidence]).toEqual(['1g.24gb', 'medium']);
    expect(unknown.why).toContain('does not convert');
    const told = judged(given, { gpu: card(rtx), speeds: { [h100]: 2, [rtx]: 1.8 } });
    expect(told.recommended?.profile).toBe('4g.96gb');
  });
});

describe('a rare peak', () => {
  const memory = [
    [9000, 20_157],
    [25_500, 3],
  ] as const;

  it('is told with what p99 would give and risk', () => {
    const answer = judged({ memory, smActive: quiet });
    expect(answer.recommended?.profile).toBe('3g.40gb');
    expect(answer.rarePeak).toEqual({
      ...{ maxMiB: 25_500, strategy: 'p99', profile: '1g.10gb', usableMiB: 9984 },
      ...{ samplesAbove: 3, samples: 20_160, minutesAbove: 3 },
    });
    expect(answer.why).toMatch(
      /more than 9\.8 GiB for 3 of 20,160 minutes, at most 24\.9 GiB; p99 would give 1g\.10gb.*out of memory/,
    );
  });

  it('is told as a risk where p99 decides', () => {
    const answer = judged({ memory, smActive: quiet }, { strategy: 'p99' });
    expect(answer.recommended?.profile).toBe('1g.10gb');
    expect(answer.rarePeak).toMatchObject({ strategy: 'p99', profile: '1g.10gb', samplesAbove: 3 });
    expect(answer.why).toContain('1g.10gb does not hold the peak');
  });

  it('may need p95', () => {
    const answer = judged({
      memory: [
        [9000, 9800],
        [25_500, 280],
      ],
      smActive: quiet,
    });
    expect(answer.rarePeak).toMatchObject({ strategy: 'p95', samplesAbove: 280 });
  });

  // prettier-ignore
  it.each<[string, Given['memory']]>([
    ['steady', [[9000, 10_080]]],
    ['above the slice for long', [[9000, 9000], [25_500, 1080]]],
    ['held by the smaller slice without headroom', [[8000, 10_000], [9900, 80]]],
  ])('is none where memory is %s', (_name, runs) => {
    expect(judged({ memory: runs ?? [], smActive: quiet }).rarePeak).toBeNull();
  });
});

describe('confidence', () => {
  const base = { memory: [[8000, 10_080]], smActive: quiet } as const;
  const coverage = madeWorkload({ workload: 'a' }).coverage;
  const dropped = { sentinel: 0, text: 0, notFinite: 0, negative: 0 };

  // prettier-ignore
  it.each<[string, Omit<Given, 'workload'>, string, RegExp]>([
    ['a week without gaps', base, 'high', /^10,080 samples over 7 days$/],
    ['three days', { ...base, days: 3 }, 'medium', /less than a week/],
    ['six hours', { ...base, memory: [[8000, 360]], days: 0.25 }, 'low', /less than a day/],
    ['few samples', { ...base, memory: [[8000, 168]] }, 'low', /few/],
    ['small gaps', { ...base, more: { coverage: { ...coverage, missingMs: 60 * 60_000, largestGapMs: 60_000 } } }, 'high', /0\.6% of the samples are missing/],
    ['a day is missing', { ...base, more: { coverage: { ...coverage, missingMs: 86_400_000, largestGapMs: 86_400_000 } } }, 'medium', /13% of the samples are missing, 1 day in one/],
    ['half is missing', { ...base, more: { coverage: { ...coverage, missingMs: 604_800_000, largestGapMs: 3_600_000 } } }, 'low', /50%/],
    ['a clock went back', { ...base, more: { coverage: { ...coverage, backwards: 2 } } }, 'medium', /2 samples came with a time before/],
    ['the owner is a guess', { ...base, more: { owner: { kind: 'Deployment', name: 'a', via: 'name' } } }, 'medium', /a guess from their names/],
    ['values were dropped', { ...base, more: { dropped: { ...dropped, sentinel: 500 } } }, 'medium', /500 values could not be believed/],
    ['a value was dropped', { ...base, more: { dropped: { ...dropped, text: 1 } } }, 'high', /1 value could not be believed and was left out/],
    ['no activity', { memory: [[8000, 10_080]] }, 'medium', /rests on memory alone/],
    ['no activity, and no less compute', { memory: [[8000, 10_080]], on: deviceClass(h100, '1g.10gb') }, 'high', /no less compute/],
    ['reserved memory', { ...base, memory: [[72_000, 10_080]] }, 'medium', /stands still at 88% of what it has.*vLLM/],
    ['growing', { ...base, timeline: madeTimeline(7, (day) => 5000 + 500 * day) }, 'low', /grows by 500 MiB a day/],
  ])('%s', (_name, given, confidence, why) => {
    const answer = judged(given);
    expect(answer.confidence).toBe(confidence);
    expect(answer.confidenceWhy.some((one) => why.test(one))).toBe(true);
  });

  it('tells when a growing peak fills the slice', () => {
    const timeline = madeTimeline(7, (day) => 8000 - 500 * (6 - day));
    const answer = judged({ ...base, timeline });
    expect(answer.growthMiBPerDay).toBeCloseTo(500);
    expect(answer.why).toContain('its peak grows by 500 MiB a day: the slice would be full in 4 days');
  });
});

describe('severity', () => {
  // prettier-ignore
  it.each<[string, Omit<Given, 'workload'>, string]>([
    ['an eighth of a card is needed', { memory: [[8000, 10_080]] }, 'critical'],
    ['half of it', { memory: [[30_000, 10_080]] }, 'warning'],
    ['half of the half that it has', { memory: [[12_000, 10_080]], on: deviceClass(h100, '4g.40gb') }, 'ok'],
    ['all of it', { memory: [[60_000, 10_080]] }, 'good'],
    ['its slice, three quarters full', { memory: [[7000, 10_080]], on: deviceClass(h100, '1g.10gb') }, 'good'],
    ['its slice, almost full', { memory: [[9200, 10_080]], on: deviceClass(h100, '1g.10gb') }, 'critical'],
    ['none of a card', { memory: [[4, 10_080]] }, 'critical'],
    ['nobody knows', { memory: null }, 'unknown'],
    ['several cards', { gpusAtOnce: 2 }, 'good'],
    ['little of a card that cannot be cut', { memory: [[3000, 10_080]], on: deviceClass('l4-24gb') }, 'critical'],
  ])('%s', (_name, given, severity) => {
    expect(judged(given).severity).toBe(severity);
  });
});
