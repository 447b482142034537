/** A peak that few samples reach: what a smaller slice would have meant for them. */
import type { Need } from '#core/plan/documents';
import { usableMemory } from '#core/sizing/memory';
import type { GpuModel, Profile } from '#core/catalogue/model';
import type { ObservedWorkload } from '../observe/observation.js';
import type { RarePeak } from './answer.js';
import { smallestOn } from './choose.js';
import type { AuditSetting } from './options.js';

/**
 * Under `peak`: the slice that p99 would do with, else p95, where it is smaller than the one recommended. Under a lower
 * strategy: the slice recommended, where the peak does not fit into it. `null`: no sample is above what that slice
 * holds, or the samples are not known.
 */
export function rarePeakOf(
  { memory, coverage: { everyMs } }: ObservedWorkload,
  need: Need,
  card: GpuModel,
  recommended: Profile | null,
  { strategy, sizing }: Pick<AuditSetting, 'strategy' | 'sizing'>,
): RarePeak | null {
  if (memory?.top == null) return null;
  const byStrategy = (one: 'p99' | 'p95'): Profile | null =>
    smallestOn({ ...need, memoryMiB: Math.max(1, Math.ceil(memory[one])) }, card, sizing);
  const lower = (strategy === 'peak' ? (['p99', 'p95'] as const) : [strategy]).flatMap((one) => {
    const profile = strategy === 'peak' ? byStrategy(one) : recommended;
    return profile === null ? [] : [{ one, profile }];
  });
  for (const { one, profile } of lower) {
    if (strategy === 'peak' && profile.name === recommended?.name) continue;
    const { memoryMiB: usableMiB } = usableMemory(profile, sizing.assumeFromName);
    const samplesAbove = memory.top.filter((sample) => sample > (usableMiB ?? Infinity)).length;
    if (usableMiB === null || samplesAbove === 0) continue;
    return {
      ...{ maxMiB: memory.max, strategy: one, profile: profile.name, usableMiB, samplesAbove },
      samples: memory.samples,
      minutesAbove: everyMs === null ? null : (samplesAbove * everyMs) / 60_000,
    };
  }
  return null;
}
