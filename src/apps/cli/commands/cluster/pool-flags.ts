/** What the flags of `mica cluster pool` say about a cut and its limits. */
import { asNvidiaSpells, nameParts } from '#core/catalogue/profile-name';
import { MicaError } from '#core/errors';
import type { PoolScaling } from '#ports/node-pools';
import { wholeNumber } from '../../arguments.js';

export type Cut = string | readonly (readonly string[])[] | null;

/** `2g.48gb`: all GPUs in that size; `2g.48gb+1g.24gb,...`: a layout, for every GPU or one for each (`/`); `whole`. */
export function cutFrom(text: string): Cut {
  if (text === 'whole') return null;
  const gpus = text.split('/').map((gpu) => gpu.split(',').map((one) => asNvidiaSpells(one)));
  for (const profile of gpus.flat()) {
    if (nameParts(profile) === undefined) {
      throw new MicaError(
        'bad-usage',
        `--to takes a profile as 2g.48gb, a layout as 2g.48gb,1g.24gb, or whole; got '${text}'`,
      );
    }
  }
  const [[only = '', ...others] = [], ...more] = gpus;
  return others.length === 0 && more.length === 0 ? only : gpus;
}

export function countFrom(option: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : wholeNumber(option, text, 0, 1000);
}

export function scalingFrom(min: string | undefined, max: string | undefined): PoolScaling | null {
  if (max === undefined) {
    if (min === undefined) return null;
    throw new MicaError('bad-usage', '--min-nodes says where scaling ends below; add --max-nodes');
  }
  return { minNodes: countFrom('--min-nodes', min) ?? 0, maxNodes: wholeNumber('--max-nodes', max, 1, 1000) };
}
