/** `mica node apply`: this machine's GPUs become what a Layout, a plan or a mig-parted file says. */
import { worstOf, type ChangeAnswer } from '#engines/change/answer';
import { changeGpus } from '#engines/change/change';
import type { ChangePorts } from '#engines/change/ports';
import type { AnswerExit, Context } from '../../command.js';
import { carryThrough } from './carry-through.js';
import { changeOptionsFrom, type ChangeFlags } from './change-flags.js';
import { withNode } from './open-node.js';
import { placeWishes, refusedTogether } from './place-wishes.js';
import { seeGpus } from './see-gpus.js';
import { wishesFrom, type GpuWish, type WishFlags } from './wishes.js';

export type ApplyFlags = ChangeFlags & WishFlags;

export async function applyCommand(
  context: Context,
  _positional: readonly never[],
  flags: ApplyFlags,
): Promise<AnswerExit> {
  const options = changeOptionsFrom(flags);
  return withNode(context.host, flags, async (ports) => {
    const { gpus, notes } = await wishesFrom(flags, await seeGpus(ports.driver));
    for (const note of notes) context.screen.note(`note: ${note}`);
    return carryThrough(context, flags, (dryRun) => applyWishes(ports, gpus, { ...options, dryRun }));
  });
}

/** Looks again each time: an answer to a question may have taken its time. */
async function applyWishes(
  ports: ChangePorts,
  wishes: readonly GpuWish[],
  options: ReturnType<typeof changeOptionsFrom>,
): Promise<ChangeAnswer> {
  const seen = await seeGpus(ports.driver);
  const placed = placeWishes(seen, wishes);
  const { wanted, refused } = placed;
  if (refused.length > 0 && options.keepGoing !== true) {
    return { outcome: 'refused', change: null, gpus: refusedTogether(placed, seen) };
  }
  const { change, gpus } = await changeGpus(ports, wanted, options);
  const all = [...gpus, ...refused].sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
  return { outcome: worstOf(all), change, gpus: all };
}
