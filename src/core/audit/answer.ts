/** What an audit says: per workload what it used, what it has, the smallest slice that is safe, and why; and what that saves. */
import type { ActivityMetric, Dropped, Owner, SourceKind } from '../observe/observation.js';
import type { Timeline } from '../observe/timeline.js';

/**
 * `slice`: the profile recommended serves. `whole-gpu`: several GPUs, or more than any smaller slice holds. `share`:
 * idle most of the time. `no-gpu`: never used it. `unknown`: too little is known; `why` says what is missing.
 */
export type Verdict = 'slice' | 'whole-gpu' | 'share' | 'no-gpu' | 'unknown';
export type Confidence = 'high' | 'medium' | 'low';
/** As krr grades: what is wasted or at risk. `critical`: most of it, or the memory is about to run out. */
export type Severity = 'good' | 'ok' | 'warning' | 'critical' | 'unknown';

/** Percentiles as measured, without headroom. */
export interface Figures {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** What one replica has or gets. `profile: null`: the whole GPU. */
export interface DeviceChoice {
  /** Catalogue key; `null`: the card is not known. */
  readonly model: string | null;
  readonly profile: string | null;
}

export interface Recommendation {
  readonly model: string;
  readonly profile: string;
}

/** A peak that is rare: what a lower percentile would give, and what that risks. */
export interface RarePeak {
  readonly maxMiB: number;
  /** The percentile that would do with the smaller profile. */
  readonly strategy: 'p99' | 'p95';
  readonly profile: string;
  /** What the smaller profile can hold. */
  readonly usableMiB: number;
  /** Samples that would not have fitted, of all, and the minutes that they stand for; `null`: the spacing is not known. */
  readonly samplesAbove: number;
  readonly samples: number;
  readonly minutesAbove: number | null;
}

export interface AuditedWorkload {
  readonly workload: string;
  readonly namespace?: string;
  readonly owner?: Owner;
  readonly samples: number;
  readonly memoryMiB: Figures | null;
  readonly compute:
    | (Figures & { readonly metric: ActivityMetric; readonly on: DeviceChoice; readonly lowerBound: boolean })
    | null;
  readonly replicas: number;
  /** Most devices that one pod held at once. */
  readonly devicesEach: number;
  readonly current: DeviceChoice;
  readonly recommended: Recommendation | null;
  readonly alternatives: readonly Recommendation[];
  readonly verdict: Verdict;
  readonly why: string;
  readonly confidence: Confidence;
  /** What the confidence rests on, one sentence each. */
  readonly confidenceWhy: readonly string[];
  readonly severity: Severity;
  readonly rarePeak: RarePeak | null;
  /** MiB a day by which the peak grew over the window; `null`: no steady growth. */
  readonly growthMiBPerDay: number | null;
  /** Part of a whole card, from 0 to 1, that one replica has and would have; `null`: not known. */
  readonly cardShare: { readonly now: number | null; readonly after: number | null };
  readonly usdPerMonth: { readonly now: number | null; readonly after: number | null };
  readonly dropped: Dropped;
  readonly timeline: Timeline;
}

/** GPUs of one model, now or after. */
export interface GpuCount {
  readonly model: string | null;
  readonly gpus: number;
  /** For all of them; `null`: no price known. */
  readonly usdPerMonth: number | null;
}

export interface AuditTotals {
  readonly workloads: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly gpus: { readonly now: number; readonly after: number; readonly freed: number };
  /** `null`: no price is known for any of them. What has no price is left out and named in `unpriced`. */
  readonly usdPerMonth: { readonly now: number; readonly after: number; readonly saved: number } | null;
  readonly unpriced: readonly string[];
  readonly byModel: { readonly now: readonly GpuCount[]; readonly after: readonly GpuCount[] };
  /** From 0 to 100: how much of the GPUs that are paid for the workloads need. */
  readonly score: number;
  readonly letter: 'A' | 'B' | 'C' | 'D' | 'F';
  /** The saving in one sentence, as one would tell it to whoever pays. */
  readonly headline: string;
}

/** One card drawn before or after; `gpu`: how many cards look like this. */
export interface DrawnGpu {
  readonly count: number;
  readonly model: string | null;
  readonly slices: readonly {
    readonly profile: string | null;
    readonly start: number | null;
    readonly sizeUnits: number | null;
    /** Who has it; empty: free. */
    readonly workloads: readonly string[];
  }[];
  readonly gridUnits: number | null;
}

export interface AuditAnswer {
  readonly schema: 'mica/audit@1';
  readonly source: SourceKind;
  readonly window: { readonly start: string; readonly end: string };
  readonly strategy: string;
  readonly headroom: number;
  readonly workloads: readonly AuditedWorkload[];
  readonly totals: AuditTotals;
  /** What isolated slices give, and what they take away, one sentence each. */
  readonly isolation: { readonly gives: readonly string[]; readonly takes: readonly string[] };
  readonly before: readonly DrawnGpu[];
  readonly after: readonly DrawnGpu[];
  readonly dropped: Dropped;
  readonly notes: readonly string[];
}
