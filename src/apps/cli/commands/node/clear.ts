/** `mica node clear`: no slices any more, on all GPUs or on some; MIG stays as it is, or goes too. */
import { MicaError } from '#core/errors';
import { changeGpus } from '#engines/change/change';
import type { WantedGpu } from '#engines/change/options';
import type { AnswerExit, Context } from '../../command.js';
import { carryThrough } from './carry-through.js';
import { changeOptionsFrom, type ChangeFlags } from './change-flags.js';
import { withNode } from './open-node.js';
import { seeGpus, type SeenGpu } from './see-gpus.js';

export interface ClearFlags extends ChangeFlags {
  readonly only?: string;
  readonly migOff?: boolean;
}

export async function clearCommand(
  context: Context,
  _positional: readonly never[],
  flags: ClearFlags,
): Promise<AnswerExit> {
  const options = changeOptionsFrom(flags);
  const only = flags.only === undefined ? null : indexesIn(flags.only);
  return withNode(context.host, flags, async (ports) => {
    const seen = await seeGpus(ports.driver);
    const wanted =
      only === null
        ? seen.filter(isCut).map(({ info }) => cleared(info.index, flags))
        : // What is named must be there, and be cut or have MIG to switch off: the change says so where it is not.
          only.map((index) => cleared(index, isCutAt(seen, index) ? flags : { migOff: true }));
    return carryThrough(context, flags, (dryRun) => changeGpus(ports, wanted, { ...options, dryRun }));
  });
}

function cleared(gpu: number, { migOff = false }: Pick<ClearFlags, 'migOff'>): WantedGpu {
  return { gpu, want: migOff ? { mig: false } : { mig: true, placements: [] } };
}

function isCut({ info }: SeenGpu): boolean {
  return info.mig !== null && (info.mig.current || info.mig.pending);
}

function isCutAt(seen: readonly SeenGpu[], index: number): boolean {
  return seen.some((gpu) => gpu.info.index === index && isCut(gpu));
}

/** `0,2`. */
function indexesIn(text: string): readonly number[] {
  return text.split(',').map((item) => {
    if (/^\s*\d{1,4}\s*$/.test(item)) return Number(item);
    throw new MicaError('bad-usage', `--only takes indexes of GPUs, as in 0,2; got '${text}'`);
  });
}
