/** Which slices are wanted, as the command line says it. */
import { MicaError } from '#core/errors';
import type { SliceWish } from '#core/run/slice';
import { defaultHeadroom, withHeadroom } from '#core/sizing/memory';
import { parseMemoryMiB } from '#core/units';
import type { Host } from '../../terminal/screen.js';

export interface SliceFlags {
  readonly profile?: string;
  readonly memory?: string;
  readonly headroom?: string;
  readonly recut?: boolean;
}

/** Headroom is added to an amount of memory, as everywhere. */
export async function sliceWishFrom(
  { profile, memory, headroom }: SliceFlags,
  { env }: Host,
): Promise<SliceWish> {
  if (profile !== undefined && memory !== undefined) {
    throw new MicaError('bad-usage', '--profile and --memory both say which slice is wanted', {
      next: 'Give one of them.',
    });
  }
  if (profile !== undefined) return { kind: 'profile', profile };
  if (memory === undefined) return { kind: 'any' };
  const amount = parseMemoryMiB(memory);
  if (!amount.ok) throw new MicaError('bad-usage', `--memory: ${amount.why.message}`);
  const { sizingFrom } = await import('../../settings.js');
  const sizing = await sizingFrom(headroom === undefined ? {} : { headroom }, env);
  return { kind: 'memory', memoryMiB: withHeadroom(amount.memoryMiB, sizing.headroom ?? defaultHeadroom) };
}
