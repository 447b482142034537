/** `mica cluster pool change`: the nodes of a pool get slices of another size, by a new pool that takes over. */
import { changePool } from '#engines/pools/change-pool';
import { longestTimeMs, timeSpanMs, wholeNumber } from '../../arguments.js';
import type { AnswerExit, Context } from '../../command.js';
import { emptyPool, type EmptyingFlags } from './pool-emptied.js';
import { countFrom, cutFrom } from './pool-flags.js';

export interface ChangePoolFlags extends EmptyingFlags {
  readonly to: string;
  readonly share?: string;
  readonly nodes?: string;
  readonly name?: string;
  readonly wait?: string;
}

export async function changePoolCommand(
  context: Context,
  [pool]: readonly [string],
  flags: ChangePoolFlags,
): Promise<AnswerExit> {
  const { share, name, wait } = flags;
  const nodes = countFrom('--nodes', flags.nodes);
  const change = {
    pool,
    cut: cutFrom(flags.to),
    sharers: share === undefined ? 1 : wholeNumber('--share', share, 1, 1000),
    ...(nodes === undefined ? {} : { nodes }),
    ...(name === undefined ? {} : { name }),
  };
  const ready = wait === undefined ? {} : { readyTimeoutMs: timeSpanMs('--wait', wait, longestTimeMs) };
  return emptyPool(context, flags, {
    schema: 'mica/pool-change@1',
    run: (ports, options) => changePool(ports, change, { ...options, ...ready }),
    question: ({ newPool }) =>
      `The pods of ${pool} are moved to a new pool ${newPool ?? ''}, and ${pool} is deleted.`,
  });
}
