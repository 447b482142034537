/** `mica cluster pool delete`: a node pool goes for good, once its pods have moved to where they find a place. */
import { nodePods } from '#adapters/kubernetes/node-pods';
import { systemClock } from '#adapters/system/clock';
import { untilInterrupted } from '#adapters/system/interruption';
import { deletePool } from '#engines/pools/delete-pool';
import type { PoolAnswer } from '#engines/pools/ports';
import { longestTimeMs, timeSpanMs } from '../../arguments.js';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { withCluster, type ClusterFlags } from './open-cluster.js';
import { withPools, type PoolFlags } from './open-pools.js';
import { describePoolAnswer, exitOfPool, isPoolAllowed, noteTo } from './pool-words.js';

export interface DeletePoolFlags extends PoolFlags, ClusterFlags {
  readonly drain?: string;
  readonly leavePending?: boolean;
  readonly evictBare?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export async function deletePoolCommand(
  context: Context,
  [pool]: readonly [string],
  flags: DeletePoolFlags,
): Promise<AnswerExit> {
  const { screen, host, json } = context;
  const { signal, release } = untilInterrupted();
  const options = {
    signal,
    say: screen.note,
    leavePending: flags.leavePending === true,
    evictBare: flags.evictBare === true,
    ...(flags.drain === undefined
      ? {}
      : { drainTimeoutMs: timeSpanMs('--drain', flags.drain, longestTimeMs) }),
  };
  const tell = (answer: PoolAnswer): AnswerExit => {
    if (json) printJson(screen, { schema: 'mica/pool-delete@1', ...answer });
    else screen.print(describePoolAnswer(answer));
    return exitOfPool(answer);
  };
  const work = (pools: Parameters<Parameters<typeof withPools>[2]>[0]): Promise<AnswerExit> =>
    withCluster(
      host,
      flags,
      async (api) => {
        const cluster = { ...api, ...nodePods(api.connection, systemClock) };
        const ports = { pools, cluster, clock: systemClock };
        if (flags.dryRun === true) return tell(await deletePool(ports, pool, { ...options, dryRun: true }));
        if (flags.yes !== true) {
          const rehearsal = await deletePool(ports, pool, { ...options, dryRun: true });
          if (rehearsal.outcome !== 'planned') return tell(rehearsal);
          const question = [`The pods of ${pool} are moved, and ${pool} is deleted.`, ...rehearsal.notes];
          if (!(await isPoolAllowed(context, question.join('\n')))) return 1;
        }
        return tell(await deletePool(ports, pool, options));
      },
      noteTo(screen),
    );
  try {
    return await withPools(host, flags, work);
  } finally {
    release();
  }
}
