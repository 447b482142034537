/** Commands after which a pool is gone: rehearsed, asked for, done and told alike. */
import { nodePods } from '#adapters/kubernetes/node-pods';
import { systemClock } from '#adapters/system/clock';
import { untilInterrupted } from '#adapters/system/interruption';
import type { PoolAnswer, PoolChangeOptions, PoolPorts } from '#engines/pools/ports';
import { longestTimeMs, timeSpanMs } from '../../arguments.js';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { withCluster, type ClusterFlags } from './open-cluster.js';
import { withPools, type PoolFlags } from './open-pools.js';
import { describePoolAnswer, exitOfPool, isPoolAllowed, noteTo } from './pool-words.js';

export interface EmptyingFlags extends PoolFlags, ClusterFlags {
  readonly drain?: string;
  readonly leavePending?: boolean;
  readonly evictBare?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export interface Emptying {
  readonly schema: string;
  readonly run: (ports: PoolPorts, options: PoolChangeOptions) => Promise<PoolAnswer>;
  /** What happens, in a sentence that a yes goes with. */
  readonly question: (rehearsal: PoolAnswer) => string;
}

/** Exit 1: it was not allowed, or refused. */
export async function emptyPool(
  context: Context,
  flags: EmptyingFlags,
  { schema, run, question }: Emptying,
): Promise<AnswerExit> {
  const { screen, host, json } = context;
  const { drain } = flags;
  const { signal, release } = untilInterrupted();
  const options: PoolChangeOptions = {
    signal,
    say: screen.note,
    leavePending: flags.leavePending === true,
    evictBare: flags.evictBare === true,
    ...(drain === undefined ? {} : { drainTimeoutMs: timeSpanMs('--drain', drain, longestTimeMs) }),
  };
  const tell = (answer: PoolAnswer): AnswerExit => {
    if (json) printJson(screen, { schema, ...answer });
    else screen.print(describePoolAnswer(answer));
    return exitOfPool(answer);
  };
  const work = async (ports: PoolPorts): Promise<AnswerExit> => {
    if (flags.dryRun === true) return tell(await run(ports, { ...options, dryRun: true }));
    if (flags.yes !== true) {
      const rehearsal = await run(ports, { ...options, dryRun: true });
      if (rehearsal.outcome !== 'planned') return tell(rehearsal);
      if (!(await isPoolAllowed(context, [question(rehearsal), ...rehearsal.notes].join('\n')))) return 1;
    }
    return tell(await run(ports, options));
  };
  try {
    return await withPools(host, flags, (pools) =>
      withCluster(
        host,
        flags,
        (api) =>
          work({ pools, cluster: { ...api, ...nodePods(api.connection, systemClock) }, clock: systemClock }),
        noteTo(screen),
      ),
    );
  } finally {
    release();
  }
}
