/** Which activity figures tell most about the compute that a workload needs, and what they say of the whole card. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { ComputeWish } from '#core/plan/documents';
import { computeDemand, type Speeds } from '#core/sizing/compute';
import type { ActivityMetric, ObservedActivity, ObservedWorkload } from '../observe/observation.js';
import type { AuditedWorkload } from './answer.js';
import { computeShareOf, deviceOf, isMultiSlice } from './device.js';
import type { AuditSetting } from './options.js';
import type { Statistic } from './strategies.js';

export type Compute = NonNullable<AuditedWorkload['compute']>;

export type ComputeUse =
  /** So much of the card's SMs was at work. */
  | { readonly kind: 'demand'; readonly wish: ComputeWish }
  /** Something ran for that part of the time, so at most that share of the SMs was at work. */
  | { readonly kind: 'at-most'; readonly wish: ComputeWish }
  /** The same on slices of several compute slices, where it may as well be more. */
  | { readonly kind: 'at-least' }
  | { readonly kind: 'unknown' };

export interface Activity {
  readonly compute: Compute | null;
  readonly samples: number;
}

/** Fewer samples of a metric say nothing. */
const fewestSamples = 100;

/** Devices with less than this part of the samples do not decide. */
const leastPart = 0.01;

const bestFirst: readonly ActivityMetric[] = ['sm-active', 'gr-engine', 'utilization'];

/** Figures of the best metric that there is enough of, on the kind of device where they ask for the most. */
export function activityOf(
  { activity, memory }: Pick<ObservedWorkload, 'activity' | 'memory'>,
  statistic: Statistic,
  { measuredOn, sizing }: Pick<AuditSetting, 'measuredOn' | 'sizing'>,
): Activity {
  // Of a workload that has too few samples altogether, what there is can be shown: nothing is sized by it.
  const fewest = Math.min(fewestSamples, memory?.samples ?? fewestSamples);
  const metric = bestFirst.find((one) => samplesOf(activity, one) >= Math.max(fewest, 1));
  if (metric === undefined) return { compute: null, samples: 0 };
  const samples = samplesOf(activity, metric);
  const measured = activity
    .filter((one) => one.metric === metric && one.stats.samples >= leastPart * samples)
    .sort((a, b) => b.stats.samples - a.stats.samples || (nameOf(a) < nameOf(b) ? -1 : 1))
    .map((one) => computeOn(one, measuredOn));
  const lowerBound = measured.some((one) => one.lowerBound);
  const deciding = greatest(measured, statistic, sizing.speeds);
  return { compute: deciding && { ...deciding, lowerBound }, samples };
}

/** What the figures say of the whole card, by the statistic that the strategy picks. */
export function computeUse(compute: Compute | null, statistic: Statistic): ComputeUse {
  if (compute === null) return { kind: 'unknown' };
  if (compute.lowerBound) return { kind: 'at-least' };
  const wish = wishOf(compute, statistic);
  if (wish === null) return { kind: 'unknown' };
  return { kind: compute.metric === 'sm-active' ? 'demand' : 'at-most', wish };
}

/** The share of time in which nothing ran is at least three quarters, wherever it was measured. */
export function isMostlyIdle({ activity }: Pick<ObservedWorkload, 'activity'>, idleBelow: number): boolean {
  const isKnown = activity.some(({ stats }) => stats.samples >= fewestSamples);
  return isKnown && activity.every(({ stats }) => stats.p75 < idleBelow);
}

/** Nothing that was measured was ever at work; true also where nothing was measured. */
export function wasNeverActive({ activity }: Pick<ObservedWorkload, 'activity'>, idleBelow: number): boolean {
  return activity.every(({ stats }) => stats.max < idleBelow);
}

function computeOn(one: ObservedActivity, measuredOn: AuditSetting['measuredOn']): Compute {
  const { p50, p95, p99, max } = one.stats;
  const on = deviceOf(one, measuredOn);
  return {
    ...{ p50, p95, p99, max },
    metric: one.metric,
    on,
    lowerBound: one.metric !== 'sm-active' && isMultiSlice(on),
  };
}

/** As a share of the whole card; `null`: what part of the card the device is, is not known. */
function wishOf(compute: Compute, statistic: Statistic): ComputeWish | null {
  const part = computeShareOf(compute.on);
  if (part === null) return null;
  const share = statistic(compute) * part;
  return compute.on.model === null ? { share } : { share, of: compute.on.model };
}

/** Demands are compared on the card with the most samples; those of cards that do not convert stay aside. */
function greatest(
  measured: readonly Compute[],
  statistic: Statistic,
  speeds: Speeds | undefined,
): Compute | null {
  const first = measured.find((one) => wishOf(one, statistic) !== null) ?? measured[0];
  if (first === undefined) return null;
  const common = first.on.model ?? undefined;
  const shares = measured.map((one) => convertedShare(wishOf(one, statistic), common, speeds) ?? -1);
  return measured[shares.indexOf(Math.max(...shares))] ?? first;
}

/** The wish as a share of another card; `null`: nobody knows. */
function convertedShare(
  wish: ComputeWish | null,
  to: string | undefined,
  speeds: Speeds | undefined,
): number | null {
  if (wish === null || wish.of === to) return wish?.share ?? null;
  const [from, card] = [wish.of, to].map((key) => (key === undefined ? undefined : modelByKey(key)));
  if (card === undefined) return null;
  const demand = computeDemand(wish, card, from, speeds);
  if (demand.kind === 'share') return demand.share;
  return demand.kind === 'sms' && card.sms !== null ? demand.sms / card.sms : null;
}

function samplesOf(activity: readonly ObservedActivity[], metric: ActivityMetric): number {
  return activity.reduce((sum, one) => sum + (one.metric === metric ? one.stats.samples : 0), 0);
}

function nameOf({ model, productName, profile }: ObservedActivity): string {
  return [model, productName, profile].join('/');
}
