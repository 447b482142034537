/** `mica cluster pool change`: the nodes of a pool get slices of another size, by a new pool that takes over. */
import { nodePods } from '#adapters/kubernetes/node-pods';
import { systemClock } from '#adapters/system/clock';
import { untilInterrupted } from '#adapters/system/interruption';
import { changePool } from '#engines/pools/change-pool';
import type { PoolAnswer } from '#engines/pools/ports';
import { longestTimeMs, timeSpanMs, wholeNumber } from '../../arguments.js';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { withCluster, type ClusterFlags } from './open-cluster.js';
import { withPools, type PoolFlags } from './open-pools.js';
import { countFrom, cutFrom } from './pool-flags.js';
import { describePoolAnswer, exitOfPool, isPoolAllowed, noteTo } from './pool-words.js';

export interface ChangePoolFlags extends PoolFlags, ClusterFlags {
  readonly to: string;
  readonly share?: string;
  readonly nodes?: string;
  readonly name?: string;
  readonly wait?: string;
  readonly drain?: string;
  readonly leavePending?: boolean;
  readonly evictBare?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export async function changePoolCommand(
  context: Context,
  [pool]: readonly [string],
  flags: ChangePoolFlags,
): Promise<AnswerExit> {
  const { screen, host, json } = context;
  const { share, name, wait, drain } = flags;
  const nodes = countFrom('--nodes', flags.nodes);
  const change = {
    pool,
    cut: cutFrom(flags.to),
    sharers: share === undefined ? 1 : wholeNumber('--share', share, 1, 1000),
    ...(nodes === undefined ? {} : { nodes }),
    ...(name === undefined ? {} : { name }),
  };
  const { signal, release } = untilInterrupted();
  const options = {
    signal,
    say: screen.note,
    leavePending: flags.leavePending === true,
    evictBare: flags.evictBare === true,
    ...(wait === undefined ? {} : { readyTimeoutMs: timeSpanMs('--wait', wait, longestTimeMs) }),
    ...(drain === undefined ? {} : { drainTimeoutMs: timeSpanMs('--drain', drain, longestTimeMs) }),
  };
  try {
    return await withPools(host, flags, (pools) =>
      withCluster(
        host,
        flags,
        async (api) => {
          const cluster = { ...api, ...nodePods(api.connection, systemClock) };
          const ports = { pools, cluster, clock: systemClock };
          const tell = (answer: PoolAnswer): AnswerExit => {
            if (json) printJson(screen, { schema: 'mica/pool-change@1', ...answer });
            else screen.print(describePoolAnswer(answer));
            return exitOfPool(answer);
          };
          if (flags.dryRun === true)
            return tell(await changePool(ports, change, { ...options, dryRun: true }));
          if (flags.yes !== true) {
            const rehearsal = await changePool(ports, change, { ...options, dryRun: true });
            if (rehearsal.outcome !== 'planned') return tell(rehearsal);
            const question = [
              `The pods of ${pool} are moved to a new pool ${rehearsal.newPool ?? ''}, and ${pool} is deleted.`,
              ...rehearsal.notes,
            ];
            if (!(await isPoolAllowed(context, question.join('\n')))) return 1;
          }
          return tell(await changePool(ports, change, options));
        },
        noteTo(screen),
      ),
    );
  } finally {
    release();
  }
}
