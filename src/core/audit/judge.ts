/** The verdict on one workload: the first rule that holds decides, from what cannot be judged to what fits a slice. */
import { migModels } from '#core/catalogue/catalogue';
import type { GpuModel } from '#core/catalogue/model';
import type { Need } from '#core/plan/documents';
import { profilesFor } from '#core/sizing/profiles-for';
import type { ObservedWorkload } from '../observe/observation.js';
import { isMostlyIdle, wasNeverActive } from './activity.js';
import type { Recommendation, Verdict } from './answer.js';
import { fillsCard, type Choice } from './choose.js';
import { cardOf } from './device.js';
import * as explain from './explain.js';
import { alternativesTo, findSlice, type Found } from './find-slice.js';
import { whatIsMissing } from './missing.js';
import type { AuditSetting } from './options.js';
import { measuredNeed, sharedNeed, type Measured } from './workload-need.js';

export interface Judgement {
  readonly verdict: Verdict;
  readonly choice: Choice | null;
  readonly alternatives: readonly Recommendation[];
  /** What was sized; `null`: nothing was. */
  readonly need: Need | null;
  readonly why: readonly string[];
}

/** Less than a CUDA context takes: whoever stays below it ran nothing on the GPU. */
const nothingMiB = 128;

export function judge(observed: ObservedWorkload, measured: Measured, setting: AuditSetting): Judgement {
  const nothing = { choice: null, alternatives: [], need: null };
  const missing = whatIsMissing(observed);
  if (missing !== null) return { ...nothing, verdict: 'unknown', why: [missing] };
  const { max } = observed.memory ?? { max: 0 };
  if (max < nothingMiB && wasNeverActive(observed, setting.idleBelow)) {
    return { ...nothing, verdict: 'no-gpu', why: [explain.whyNoGpu(max, observed.activity.length > 0)] };
  }
  const isIdle = isMostlyIdle(observed, setting.idleBelow);
  if (observed.devicesAtOnce.gpus > 1) {
    return {
      ...nothing,
      verdict: 'whole-gpu',
      why: [explain.whySpread(observed.devicesAtOnce.gpus, isIdle)],
    };
  }
  const name = observed.workload;
  const need = isIdle ? sharedNeed(name, measured, setting) : measuredNeed(name, measured, setting);
  return sized(findSlice(need, measured, setting), measured, setting);
}

function sized(found: Found, measured: Measured, setting: AuditSetting): Judgement {
  const { choice, need } = found;
  const common = { choice, need, alternatives: alternativesTo(found, measured, setting) };
  const several =
    measured.devicesEach > 1
      ? [`each replica holds ${measured.devicesEach} slices at once; the figures are those of one`]
      : [];
  if (choice === null) {
    const why = explain.whyNone(noSlice(need, measured, setting), need, measured, setting);
    return { ...common, verdict: 'whole-gpu', why: [why, ...several] };
  }
  const size = explain.whySlice(choice, need, measured, setting);
  if (fillsCard(choice)) {
    const byCompute = explain.whyCompute(choice, need, measured, setting);
    return { ...common, verdict: 'whole-gpu', why: [size, ...several, ...present(byCompute)] };
  }
  if (need.isolation === 'shared') {
    return { ...common, verdict: 'share', why: [size, ...several, explain.whyShare(choice, measured)] };
  }
  const more = [
    explain.whyCompute(choice, need, measured, setting),
    explain.whyKept(choice, need, measured, setting),
  ];
  return { ...common, verdict: 'slice', why: [size, ...several, ...more.flatMap(present)] };
}

/** Why no profile serves: what the target says, else the card that it is on, else the card with the most memory. */
function noSlice(need: Need, { current }: Measured, { target, sizing }: AuditSetting): string {
  const own = cardOf(current);
  const card = target ?? (own?.kind === 'mig' ? own : largestCard());
  return `on ${card.key}, ${profilesFor(need, card, sizing).verdict.why}`;
}

function largestCard(): GpuModel {
  return migModels().reduce((best, card) => ((card.memoryMiB ?? 0) > (best.memoryMiB ?? 0) ? card : best));
}

function present(sentence: string | null): readonly string[] {
  return sentence === null ? [] : [sentence];
}
