/** One workload, judged in full: verdict, reasons, confidence, severity. What it costs is counted with the others. */
import { wholeMemory, usableMemory } from '#core/sizing/memory';
import type { Need } from '#core/plan/documents';
import type { ObservedWorkload } from '../observe/observation.js';
import { activityOf } from './activity.js';
import type { AuditedWorkload, Confidence, DeviceChoice, RarePeak } from './answer.js';
import { asRecommendation, type Choice } from './choose.js';
import { coverOf } from './compute-cover.js';
import { confidenceIn } from './confidence.js';
import { cardOf, deviceOf, sliceOf } from './device.js';
import * as explain from './explain.js';
import { growthMiBPerDay } from './growth.js';
import { judge, type Judgement } from './judge.js';
import { isTimeSliced } from './missing.js';
import type { AuditSetting } from './options.js';
import { rarePeakOf } from './rare-peak.js';
import { severityOf } from './severity.js';
import { strategies } from './strategies.js';
import type { Measured } from './workload-need.js';

export type Judged = Omit<AuditedWorkload, 'cardShare' | 'usdPerMonth'>;

export interface Assessment {
  readonly judged: Judged;
  readonly choice: Choice | null;
  /** What was sized; `null`: it keeps what it has, or needs nothing. */
  readonly need: Need | null;
  readonly isTimeSliced: boolean;
  readonly observed: ObservedWorkload;
  /** MiB in use on average; `null`: not known. */
  readonly meanMiB: number | null;
}

/** Memory that stands still this near to its mean, at this much of the device, was reserved rather than needed. */
const flat = { within: 0.03, from: 0.85 };

export function assess(observed: ObservedWorkload, setting: AuditSetting): Assessment {
  const { compute, samples: activitySamples } = activityOf(observed, strategies[setting.strategy], setting);
  const measured = { ...measuredOf(observed, setting), compute };
  const judgement = judge(observed, measured, setting);
  const { verdict, choice, need, alternatives } = judgement;
  const growth = growthMiBPerDay(observed.timeline);
  const toFull = daysToFull(growth, measured, choice);
  const rarePeak = rareIn(observed, judgement, setting);
  const cover = choice === null || need?.isolation === 'shared' ? null : coverOf(choice, measured, setting);
  const isUnknown = verdict === 'unknown';
  const trust = confidenceIn({
    ...{ observed, activitySamples, cover, growthMiBPerDay: growth, daysToFull: toFull },
    flatAtShare: flatShare(observed, measured.current),
  });
  const unsure = cover === null ? null : explain.whyUnsure(cover, compute, choice?.card.key ?? '');
  const risks = isUnknown
    ? []
    : [
        unsure,
        rarePeak === null ? null : explain.whyRare(rarePeak, setting.strategy),
        growth === null ? null : explain.whyGrowing(growth, toFull),
      ];
  return {
    judged: {
      workload: observed.workload,
      ...(observed.namespace === null ? {} : { namespace: observed.namespace }),
      ...(observed.owner === null ? {} : { owner: observed.owner }),
      samples: observed.memory?.samples ?? 0,
      ...measured,
      recommended: choice === null ? null : asRecommendation(choice),
      ...{ alternatives, verdict },
      why: [...judgement.why, ...risks].filter((one) => one !== null).join('; '),
      confidence: isUnknown ? ('low' satisfies Confidence) : trust.confidence,
      confidenceWhy: trust.confidenceWhy,
      severity: severityOf(verdict, measured, need, choice, setting),
      rarePeak,
      growthMiBPerDay: growth,
      dropped: observed.dropped,
      timeline: observed.timeline,
    },
    ...{ observed, choice, need, isTimeSliced: isTimeSliced(observed) },
    meanMiB: observed.memory?.mean ?? null,
  };
}

function measuredOf(observed: ObservedWorkload, { measuredOn }: AuditSetting): Omit<Measured, 'compute'> {
  const { memory, devices, replicas, devicesAtOnce } = observed;
  return {
    memoryMiB: memory && { p50: memory.p50, p95: memory.p95, p99: memory.p99, max: memory.max },
    replicas: Math.max(1, replicas.atOnce),
    devicesEach: Math.max(1, devicesAtOnce.gpus, devicesAtOnce.slices),
    current: deviceOf(devices[0], measuredOn),
  };
}

function rareIn(
  observed: ObservedWorkload,
  { choice, need }: Judgement,
  setting: AuditSetting,
): RarePeak | null {
  const card = choice?.card ?? setting.target;
  if (need === null || card === null) return null;
  return rarePeakOf(observed, need, card, choice?.profile ?? null, setting);
}

/** Until the peak has grown to what the slice holds; `null`: it does not grow, or nothing is known of the slice. */
function daysToFull(growth: number | null, { memoryMiB }: Measured, choice: Choice | null): number | null {
  if (growth === null || memoryMiB === null || choice?.usableMiB == null) return null;
  return Math.max(0, (choice.usableMiB - memoryMiB.max) / growth);
}

/** Part of the device's memory in use without a change; `null`: it changes, is small, or the device is not known. */
function flatShare({ memory }: ObservedWorkload, current: DeviceChoice): number | null {
  const slice = sliceOf(current);
  const card = cardOf(current);
  const hasMiB =
    slice !== undefined ? usableMemory(slice.profile).memoryMiB : card && wholeMemory(card).memoryMiB;
  if (memory === null || hasMiB == null || (current.profile !== null && slice === undefined)) return null;
  const isFlat = memory.max - memory.p50 <= flat.within * memory.max;
  const share = memory.mean / hasMiB;
  return isFlat && share >= flat.from ? share : null;
}
