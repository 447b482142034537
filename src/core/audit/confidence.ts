/** How far to trust a verdict, and what that rests on: one finding, one sentence. */
import type { ObservedWorkload } from '../observe/observation.js';
import type { Confidence } from './answer.js';
import type { Cover } from './compute-cover.js';
import { counted, duration, grouped, percent } from './words.js';

export interface Grounds {
  readonly observed: ObservedWorkload;
  readonly activitySamples: number;
  /** `null`: nothing is recommended, so compute is no question. */
  readonly cover: Cover | null;
  readonly growthMiBPerDay: number | null;
  /** Until the slice recommended is full at that growth. */
  readonly daysToFull: number | null;
  /** Part of the device's memory that is in use without a change; `null`: it changes, or is small. */
  readonly flatAtShare: number | null;
}

export interface Judged {
  readonly confidence: Confidence;
  readonly confidenceWhy: readonly string[];
}

const dayMs = 86_400_000;

/** A week with its weekend; a sample less is a week too. */
const weekMs = 6.9 * dayMs;

type Finding = { readonly atMost: Confidence; readonly why: string } | null;

/** The worst finding decides. */
export function confidenceIn(grounds: Grounds): Judged {
  const findings = [
    length(grounds.observed),
    gaps(grounds.observed),
    growth(grounds),
    owner(grounds.observed),
    notBelieved(grounds.observed),
    clock(grounds.observed),
    ...compute(grounds),
    flat(grounds),
  ].filter((finding) => finding !== null);
  return {
    confidence: lowest(findings.map(({ atMost }) => atMost)),
    confidenceWhy: findings.map(({ why }) => why),
  };
}

function lowest(levels: readonly Confidence[]): Confidence {
  return (['low', 'medium'] as const).find((level) => levels.includes(level)) ?? 'high';
}

function length({ memory, coverage }: ObservedWorkload): Finding {
  const samples = memory?.samples ?? 0;
  const spanMs = coverage.lastMs - coverage.firstMs;
  const what = `${counted(samples, 'sample')} over ${duration(spanMs)}`;
  if (spanMs < dayMs * 0.98)
    return { atMost: 'low', why: `${what}: less than a day, so its daily cycle is not seen` };
  if (samples < 300) return { atMost: 'low', why: `${what}: few` };
  if (spanMs < weekMs)
    return { atMost: 'medium', why: `${what}: less than a week, so its weekly cycle is not seen` };
  if (samples < 1000) return { atMost: 'medium', why: `${what}: few, so short peaks may be missed` };
  return { atMost: 'high', why: what };
}

function gaps({ memory, coverage: { everyMs, missingMs, largestGapMs } }: ObservedWorkload): Finding {
  if (everyMs === null || missingMs === 0) return null;
  const part = missingMs / (missingMs + (memory?.samples ?? 0) * everyMs);
  const why = `${percent(part)} of the samples are missing, ${duration(largestGapMs)} in one stretch`;
  return { atMost: part > 0.2 ? 'low' : part > 0.05 ? 'medium' : 'high', why };
}

function growth({ growthMiBPerDay, daysToFull }: Grounds): Finding {
  if (growthMiBPerDay === null) return null;
  const why = `its peak grows by ${grouped(growthMiBPerDay)} MiB a day, so past figures are too small for the future`;
  const isSoon = daysToFull !== null && daysToFull < 14;
  return { atMost: isSoon ? 'low' : 'medium', why };
}

function owner({ owner: known }: ObservedWorkload): Finding {
  if (known?.via !== 'name') return null;
  return {
    atMost: 'medium',
    why: `that its pods belong to ${known.kind} ${known.name} is a guess from their names`,
  };
}

function notBelieved({ memory, dropped }: ObservedWorkload): Finding {
  const values = dropped.sentinel + dropped.text + dropped.notFinite + dropped.negative;
  if (values === 0) return null;
  const part = values / (values + (memory?.samples ?? 0));
  const why = `${counted(values, 'value')} could not be believed and ${values === 1 ? 'was' : 'were'} left out`;
  return { atMost: part > 0.2 ? 'low' : part > 0.01 ? 'medium' : 'high', why };
}

function clock({ coverage: { backwards } }: ObservedWorkload): Finding {
  if (backwards === 0) return null;
  return {
    atMost: 'medium',
    why: `${counted(backwards, 'sample')} came with a time before the sample ahead of them`,
  };
}

function compute({ observed, activitySamples, cover }: Grounds): readonly Finding[] {
  const coverage = cover === null ? null : { ...computeFindings[cover] };
  const isPartial =
    (cover === 'measured' || cover === 'estimate') && activitySamples < 0.5 * (observed.memory?.samples ?? 0);
  return [
    coverage,
    isPartial
      ? { atMost: 'medium', why: `activity is known for ${grouped(activitySamples)} of its samples only` }
      : null,
  ];
}

const computeFindings: Readonly<Record<Cover, { readonly atMost: Confidence; readonly why: string }>> = {
  measured: { atMost: 'high', why: 'the SMs at work were measured on this kind of card' },
  estimate: {
    atMost: 'medium',
    why: 'the SMs at work were measured on another card and converted: an estimate',
  },
  enough: { atMost: 'high', why: 'the slice has no less compute than the workload can have used' },
  'not-known': {
    atMost: 'medium',
    why: 'how many SMs it uses is not known, only for how long something ran: enable DCGM_FI_PROF_SM_ACTIVE to know',
  },
  'at-least': {
    atMost: 'medium',
    why: 'on a slice of several compute slices its activity is a lower bound: enable DCGM_FI_PROF_SM_ACTIVE to know',
  },
  'no-figures': { atMost: 'medium', why: 'no activity was measured: the size rests on memory alone' },
  'no-ratio': {
    atMost: 'medium',
    why: 'the SMs at work were measured on another chip design, and no ratio between the two is known',
  },
};

function flat({ flatAtShare }: Grounds): Finding {
  if (flatAtShare === null) return null;
  const why =
    `its memory stands still at ${percent(flatAtShare)} of what it has: inference servers such as vLLM reserve what they ` +
    'find, so it may need far less; lower its memory setting and measure again';
  return { atMost: 'medium', why };
}
