/** `mica cluster pool delete`: a node pool goes for good, once its pods have moved to where they find a place. */
import { deletePool } from '#engines/pools/delete-pool';
import type { AnswerExit, Context } from '../../command.js';
import { emptyPool, type EmptyingFlags } from './pool-emptied.js';

export function deletePoolCommand(
  context: Context,
  [pool]: readonly [string],
  flags: EmptyingFlags,
): Promise<AnswerExit> {
  return emptyPool(context, flags, {
    schema: 'mica/pool-delete@1',
    run: (ports, options) => deletePool(ports, pool, options),
    question: () => `The pods of ${pool} are moved, and ${pool} is deleted.`,
  });
}
