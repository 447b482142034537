/** What a workload asks of a planner: what was measured, or what it has now where that cannot be judged. */
import type { GpuModel } from '#core/catalogue/model';
import type { Need } from '#core/plan/documents';
import { plainNeed } from '#core/plan/plain-need';
import { usableMemory } from '#core/sizing/memory';
import type { AuditedWorkload } from './answer.js';
import { computeUse } from './activity.js';
import { smallestOn } from './choose.js';
import { sliceOf } from './device.js';
import type { AuditSetting } from './options.js';
import { strategies } from './strategies.js';

/** The part of an audited workload that says what it needs. */
export type Measured = Pick<
  AuditedWorkload,
  'memoryMiB' | 'compute' | 'replicas' | 'devicesEach' | 'current'
>;

type Rules = Pick<AuditSetting, 'strategy' | 'sizing'>;

/** The memory that the strategy picks, one need a device. `memoryMiB` must be known. */
function memoryNeed(name: string, measured: Measured, { strategy }: Rules): Need {
  const memoryMiB = measured.memoryMiB === null ? 0 : strategies[strategy](measured.memoryMiB);
  const count = measured.replicas * measured.devicesEach;
  return { ...plainNeed(name), count, memoryMiB: Math.max(1, Math.ceil(memoryMiB)) };
}

/** Memory and compute; activity that is only a bound asks for nothing. */
export function measuredNeed(name: string, measured: Measured, rules: Rules): Need {
  const need = memoryNeed(name, measured, rules);
  const use = computeUse(measured.compute, strategies[rules.strategy]);
  return use.kind === 'demand' && use.wish.share > 0 ? { ...need, compute: use.wish } : need;
}

/**
 * The need as it holds on the card that the workload runs on: activity that is a lower bound must not take compute
 * slices away where memory takes nothing away.
 */
export function needOn(card: GpuModel, need: Need, measured: Measured, { sizing }: Rules): Need {
  const slice = sliceOf(measured.current);
  if (measured.compute?.lowerBound !== true || slice?.card.key !== card.key) return need;
  const smallest = smallestOn(need, card, sizing);
  const isTwin =
    smallest !== null &&
    usableMemory(smallest).memoryMiB === usableMemory(slice.profile).memoryMiB &&
    smallest.computeSlices < slice.profile.computeSlices;
  const share = slice.profile.computeSlices / slice.card.computeSlices;
  return isTwin ? { ...need, compute: { share, of: card.key } } : need;
}

/** Idle most of the time: only its memory counts, and replicas may take turns. */
export function sharedNeed(name: string, measured: Measured, rules: Rules): Need {
  return { ...memoryNeed(name, measured, rules), isolation: 'shared' };
}

/** What it has now, as a need; of a slice that the catalogue does not know, the whole card. */
export function keptNeed(
  name: string,
  { current, replicas, devicesEach }: Measured,
  { sizing }: Rules,
): Need {
  const slice = sliceOf(current);
  if (slice === undefined) {
    const compute = current.model === null ? {} : { compute: { share: devicesEach, of: current.model } };
    return { ...plainNeed(name), count: replicas, gpus: devicesEach, p2p: true, ...compute };
  }
  const { card, profile } = slice;
  const { memoryMiB } = usableMemory(profile);
  return {
    ...plainNeed(name),
    count: replicas * devicesEach,
    ...(memoryMiB === null ? {} : { memoryMiB: Math.floor(memoryMiB / (1 + sizing.headroom)) }),
    compute: { share: profile.computeSlices / card.computeSlices, of: card.key },
    media: profile.attribute === '+me' || profile.attribute === '+me.all',
    graphics: profile.attribute === '+gfx',
  };
}
