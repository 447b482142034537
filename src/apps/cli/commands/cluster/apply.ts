/** `mica cluster apply`: the GPUs of a cluster's nodes become what a plan or Layout documents say, node by node. */
import { nodePods } from '#adapters/kubernetes/node-pods';
import type { KubernetesApi } from '#adapters/kubernetes/cluster-api';
import { systemClock } from '#adapters/system/clock';
import { untilInterrupted } from '#adapters/system/interruption';
import { defaultLimits } from '#core/cluster/operator/limits';
import { MicaError } from '#core/errors';
import type { NodesAnswer } from '#engines/cluster/answer';
import { changeNodes } from '#engines/cluster/change-nodes';
import type { NodesOptions } from '#engines/cluster/options';
import type { ClusterPorts } from '#engines/cluster/ports';
import { longestTimeMs, timeSpanMs } from '../../arguments.js';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { printable } from '../../terminal/screen.js';
import { describeNodes, exitOf } from './describe-nodes.js';
import { lookAround } from './surroundings.js';
import { withCluster, type ClusterFlags } from './open-cluster.js';
import { wantedNodes, type NodeWishFlags } from './wanted-nodes.js';

export interface ApplyClusterFlags extends ClusterFlags, NodeWishFlags {
  readonly dryRun?: boolean;
  readonly maxUnavailable?: string;
  readonly timeout?: string;
  readonly keepGoing?: boolean;
  readonly force?: boolean;
  readonly reboot: boolean;
  readonly operatorNamespace: string;
  readonly configMap: string;
  readonly prometheus?: string;
  readonly yes?: boolean;
}

export async function applyClusterCommand(
  context: Context,
  _positional: readonly never[],
  flags: ApplyClusterFlags,
): Promise<AnswerExit> {
  const { screen, host, json } = context;
  const fixed = optionsFrom(flags);
  const wanted = await wantedNodes(flags);
  const { signal, release } = untilInterrupted();
  try {
    const onNote = (note: string): void => screen.note(`note: ${printable(note)}`);
    const apply = async (api: KubernetesApi): Promise<AnswerExit> => {
      const around = await lookAround(api, wanted, flags.prometheus, host.env, signal);
      for (const note of around.notes) onNote(note);
      const change = (dryRun: boolean): Promise<NodesAnswer> =>
        changeNodes(portsOf(api), wanted, {
          ...fixed,
          holders: around.holders,
          outOfService: around.outOfService,
          ...(flags.timeout !== undefined && { deadlineMs: systemClock.nowMs() + fixed.limits.evictMs }),
          dryRun,
          signal,
          onNote,
          ...(dryRun ? {} : { onProgress: (node, says) => screen.note(`${node}: ${says}`) }),
        });
      const dryRun = flags.dryRun === true;
      if (!dryRun && flags.yes !== true && !(await isAllowed(context, await change(true)))) {
        screen.note('nothing was touched');
        return 1;
      }
      const answer = await change(dryRun);
      if (json) printJson(screen, answer);
      else screen.print(describeNodes(screen.style, answer, dryRun));
      return exitOf(answer.outcome);
    };
    return await withCluster(host, flags, apply, onNote);
  } finally {
    release();
  }
}

function portsOf(api: KubernetesApi): ClusterPorts {
  return { api: { ...api, ...nodePods(api.connection, systemClock) }, clock: systemClock };
}

function optionsFrom(flags: ApplyClusterFlags): Omit<NodesOptions, 'holders'> {
  const { timeout, maxUnavailable = '1' } = flags;
  const most = /^[1-9]\d{0,3}$/.test(maxUnavailable) ? Number(maxUnavailable) : undefined;
  if (most === undefined) {
    throw new MicaError(
      'bad-usage',
      `--max-unavailable takes a number of nodes, 1 or more; got '${maxUnavailable}'`,
    );
  }
  const evictMs = timeout === undefined ? undefined : timeSpanMs('--timeout', timeout, longestTimeMs);
  return {
    namespace: flags.operatorNamespace,
    configMap: flags.configMap,
    limits: { ...defaultLimits, ...(evictMs !== undefined && { evictMs }) },
    maxUnavailable: most,
    keepGoing: flags.keepGoing === true,
    mayEndBare: flags.force === true,
    mayReboot: flags.reboot,
  };
}

/** Every change of a node's GPUs takes slices away, and most move pods. */
async function isAllowed({ screen, host }: Context, rehearsal: NodesAnswer): Promise<boolean> {
  const changing = rehearsal.nodes.filter(({ outcome }) => outcome === 'done');
  if (changing.length === 0) return true;
  const asItIs = (text: unknown): string => String(text);
  const plain = { bold: asItIs, green: asItIs, red: asItIs };
  const description = describeNodes(plain, { ...rehearsal, nodes: changing }, true);
  if (host.confirm === undefined) {
    throw new MicaError('needs-yes', `this cordons nodes, and takes slices away\n${description}`);
  }
  screen.note(description);
  return host.confirm('Go on? [y/N] ');
}
