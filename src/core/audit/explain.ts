/** The reasons of a verdict in words: the numbers, what drives the size, and what could go wrong. */
import type { GpuModel } from '#core/catalogue/model';
import type { Need } from '#core/plan/documents';
import { withHeadroom } from '#core/sizing/memory';
import { sharingLoses } from '#core/sizing/sharing';
import { formatMiB } from '#core/units';
import { computeUse, type Compute } from './activity.js';
import type { RarePeak } from './answer.js';
import { fillsCard, smallestOn, withoutCompute, type Choice } from './choose.js';
import type { Cover } from './compute-cover.js';
import { nameOfDevice } from './device.js';
import type { AuditSetting } from './options.js';
import { reaches, strategies, type StrategyName } from './strategies.js';
import { grouped, percent } from './words.js';
import { needOn, type Measured } from './workload-need.js';

/** `peaks at 12.1 GiB; with 10% headroom, 13.3 GiB, 1g.24gb (23.1 GiB) is the smallest slice of … that holds it`. */
export function whySlice(choice: Choice, need: Need, measured: Measured, setting: AuditSetting): string {
  const { card, profile, usableMiB } = choice;
  const holds = usableMiB === null ? '' : ` (${formatMiB(usableMiB)})`;
  const what = fillsCard(choice) ? 'the whole card' : 'the smallest slice';
  return `${asked(need, measured, setting)}, ${profile.name}${holds} is ${what} of ${card.key} that serves it`;
}

/** No slice serves: what would be needed, and of what there is not enough. */
export function whyNone(reason: string, need: Need, measured: Measured, setting: AuditSetting): string {
  return `${asked(need, measured, setting)}, no slice serves it: ${reason}`;
}

function asked(need: Need, { memoryMiB }: Measured, { strategy, sizing }: AuditSetting): string {
  const used = memoryMiB === null ? 0 : strategies[strategy](memoryMiB);
  const reserved = withHeadroom(need.memoryMiB ?? 0, sizing.headroom);
  const headroom =
    sizing.headroom === 0 ? '' : `; with ${percent(sizing.headroom)} headroom, ${formatMiB(reserved)}`;
  return `${reaches(strategy)} ${formatMiB(used)}${headroom}`;
}

/** Where memory alone would do with less: what the activity asks, and what its p95 would. `null`: memory decides. */
export function whyCompute(
  { card, profile }: Choice,
  need: Need,
  measured: Measured,
  setting: AuditSetting,
): string | null {
  const { compute } = need;
  const { sizing, strategy } = setting;
  const byMemory = smallestOn(withoutCompute(need), card, sizing);
  if (
    compute === undefined ||
    measured.compute === null ||
    byMemory === null ||
    byMemory.name === profile.name
  )
    return null;
  const share = percent(compute.share);
  return (
    `compute drives the size: memory alone would do with ${byMemory.name}, but its SM activity ${reaches(strategy)} ` +
    `${share} of the card${byP95(card, need, measured.compute, setting)}; too small a compute slice makes it slower, ` +
    'it does not kill it'
  );
}

function byP95(card: GpuModel, need: Need, compute: Compute, { strategy, sizing }: AuditSetting): string {
  const use = computeUse(compute, strategies.p95);
  if (strategy === 'p95' || use.kind !== 'demand') return '';
  const lower = use.wish.share > 0 ? { ...need, compute: use.wish } : withoutCompute(need);
  const profile = smallestOn(lower, card, sizing);
  return profile === null ? '' : ` (its p95, ${percent(use.wish.share)}, would give ${profile.name})`;
}

/** The slice was kept from shrinking by a lower bound. `null`: nothing was kept. */
export function whyKept(
  choice: Choice,
  need: Need,
  measured: Measured,
  setting: AuditSetting,
): string | null {
  if (needOn(choice.card, need, measured, setting) === need) return null;
  return (
    `a slice of the same memory with fewer compute slices is not taken: activity on ${nameOfDevice(measured.current)} is ` +
    'a lower bound, since on slices of several compute slices GR_ENGINE_ACTIVE shows a part of what runs'
  );
}

/** What is not known about compute, as far as it matters for this slice. */
export function whyUnsure(cover: Cover, compute: Compute | null, speedOf: string): string | null {
  switch (cover) {
    case 'not-known':
      return (
        `something ran on it for up to ${percent(compute?.max ?? 0)} of the time, which does not say how many SMs it used ` +
        '(enable DCGM_FI_PROF_SM_ACTIVE): the slice may be slower than what it has'
      );
    case 'no-ratio':
      return `its SM activity does not convert to ${speedOf}, another chip design: the slice may be slower or faster`;
    case 'measured':
    case 'estimate':
    case 'enough':
    case 'at-least':
    case 'no-figures':
      return null;
  }
}

export function whyShare(choice: Choice, { compute }: Measured): string {
  const burst = compute === null ? '' : `, at its busiest ${percent(compute.max)}`;
  return (
    `idle at least three quarters of the time${burst}, so several such may take turns on one ${choice.profile.name}, ` +
    `without a memory limit for each: ${sharingLoses}`
  );
}

export function whySpread(devicesEach: number, isIdle: boolean): string {
  const idle = isIdle
    ? '; they are idle at least three quarters of the time, so ask whether it needs them all'
    : '';
  return (
    `a pod of it held ${devicesEach} whole GPUs at once, so it likely copies between them (P2P, NCCL), and that does ` +
    `not work between slices: it keeps whole cards${idle}`
  );
}

export function whyNoGpu(maxMiB: number, isActivityKnown: boolean): string {
  const activity = isActivityKnown ? 'and was never active' : 'too little for a CUDA context';
  return `it never used more than ${formatMiB(maxMiB)}, ${activity}: it can do without a GPU`;
}

/** `the peak is rare: more than 23.1 GiB for 3 of 20,160 minutes (at most 24.9 GiB); p99 would give 1g.24gb, …`. */
export function whyRare(
  { maxMiB, strategy: lower, profile, usableMiB, ...rare }: RarePeak,
  strategy: StrategyName,
): string {
  const { samplesAbove, samples, minutesAbove } = rare;
  const [above, all] =
    minutesAbove === null || minutesAbove < 1
      ? [grouped(samplesAbove), `${grouped(samples)} samples`]
      : [grouped(minutesAbove), `${grouped((minutesAbove / samplesAbove) * samples)} minutes`];
  const seen = `more than ${formatMiB(usableMiB)} for ${above} of ${all}, at most ${formatMiB(maxMiB)}`;
  return strategy === 'peak'
    ? `the peak is rare: ${seen}; ${lower} would give ${profile}, which would have been out of memory then`
    : `${profile} does not hold the peak: ${seen}, and it would have been out of memory then`;
}

export function whyGrowing(mibPerDay: number, daysToFull: number | null): string {
  const full =
    daysToFull === null ? '' : `: the slice would be full in ${grouped(Math.max(1, daysToFull))} days`;
  return `its peak grows by ${formatMiB(mibPerDay)} a day${full}`;
}
