/** `mica cluster pool create` and `resize`: a pool whose nodes boot with their GPUs cut, and how many nodes it has. */
import { untilInterrupted } from '#adapters/system/interruption';
import type { CallOptions, NodePools } from '#ports/node-pools';
import { wholeNumber } from '../../arguments.js';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { withPools, type PoolFlags } from './open-pools.js';
import { cutFrom, scalingFrom } from './pool-flags.js';
import { describeRequests, describeSlices, thrown } from './pool-words.js';

export interface CreatePoolFlags extends PoolFlags {
  readonly to: string;
  readonly like?: string;
  readonly machineType?: string;
  readonly nodes: string;
  readonly share?: string;
  readonly minNodes?: string;
  readonly maxNodes?: string;
  readonly zones?: string;
  readonly spot?: boolean;
  readonly dryRun?: boolean;
}

export async function createPoolCommand(
  { screen, host, json }: Context,
  [name]: readonly [string],
  flags: CreatePoolFlags,
): Promise<AnswerExit> {
  const { like, machineType, share, zones } = flags;
  const wish = {
    name,
    like: like ?? null,
    cut: cutFrom(flags.to),
    sharers: share === undefined ? 1 : wholeNumber('--share', share, 1, 1000),
    nodes: wholeNumber('--nodes', flags.nodes, 0, 1000),
    labels: {},
    machine: {
      machineType: machineType ?? '',
      zones: zones === undefined ? [] : zones.split(','),
      scaling: scalingFrom(flags.minNodes, flags.maxNodes),
      spot: flags.spot === true,
    },
  };
  return withCalls(flags, { screen, host, json }, async (pools, call) => {
    const draft = await pools.draft(wish);
    if (!draft.ok) return refusal({ screen, json }, draft.why);
    for (const note of draft.value.notes) screen.note(`note: ${note}`);
    if (flags.dryRun === true) {
      if (json) printJson(screen, { schema: 'mica/pool-draft@1', ...draft.value });
      else screen.print(describeRequests(draft.value.requests));
      return 0;
    }
    const made = await pools.create(draft.value, call);
    if (!made.ok) return refusal({ screen, json }, made.why);
    if (json) printJson(screen, { schema: 'mica/node-pool@1', ...made.value });
    else screen.print(`done: ${name}, a node offers ${describeSlices(made.value.slices)}`);
    return 0;
  });
}

export async function resizePoolCommand(
  context: Context,
  [name, nodes]: readonly [string, string],
  flags: PoolFlags,
): Promise<AnswerExit> {
  const count = wholeNumber('NODES', nodes, 0, 1000);
  return withCalls(flags, context, async (pools, call) => {
    const resized = await pools.resize(name, count, call);
    if (!resized.ok) return refusal(context, resized.why);
    if (context.json) printJson(context.screen, { ok: true, name, nodes: count });
    else context.screen.print(`done: ${name} has ${count} nodes`);
    return 0;
  });
}

async function withCalls(
  flags: PoolFlags,
  { screen, host }: Context,
  work: (pools: NodePools, call: CallOptions) => Promise<AnswerExit>,
): Promise<AnswerExit> {
  const { signal, release } = untilInterrupted();
  try {
    return await withPools(host, flags, (pools) => work(pools, { signal, say: screen.note }));
  } finally {
    release();
  }
}

function refusal(
  { screen, json }: Pick<Context, 'screen' | 'json'>,
  why: Parameters<typeof thrown>[0],
): AnswerExit {
  if (why.kind === 'forbidden' || why.kind === 'unreachable') throw thrown(why);
  if (json) printJson(screen, { ok: false, why });
  else screen.print(`no: ${why.message}\nnext: ${why.next}`);
  return 1;
}
