/** `mica cluster pool list`: the node pools of a managed cluster, and how their GPUs are cut. */
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { withPools, type PoolFlags } from './open-pools.js';
import { describePools, thrown } from './pool-words.js';

export async function listPoolsCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  flags: PoolFlags,
): Promise<AnswerExit> {
  return withPools(host, flags, async (pools): Promise<AnswerExit> => {
    const listed = await pools.list();
    if (!listed.ok) throw thrown(listed.why);
    if (json) printJson(screen, { schema: 'mica/node-pools@1', pools: listed.value });
    else screen.print(describePools(screen, listed.value));
    return 0;
  });
}
