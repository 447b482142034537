/** `mica cluster pool open`: nodes that booted cut and joined later take pods once their slices are there. */
import type { KubernetesApi } from '#adapters/kubernetes/cluster-api';
import { untilInterrupted } from '#adapters/system/interruption';
import { openNodes } from '#engines/pools/open-nodes';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { printable } from '../../terminal/screen.js';
import { withCluster, type ClusterFlags } from './open-cluster.js';
import { noteTo } from './pool-words.js';

export async function openNodesCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  flags: ClusterFlags,
): Promise<AnswerExit> {
  const { signal, release } = untilInterrupted();
  try {
    const open = async (cluster: KubernetesApi): Promise<AnswerExit> => {
      const nodes = await openNodes(await cluster.read(signal), cluster);
      if (json) printJson(screen, { schema: 'mica/opened-nodes@1', nodes });
      else if (nodes.length === 0) screen.print('no node waits for its slices');
      for (const { node, why } of json ? [] : nodes) {
        screen.print(printable(why === null ? `${node}: takes pods now` : `${node}: not yet: ${why}`));
      }
      return nodes.some(({ why }) => why !== null) ? 1 : 0;
    };
    return await withCluster(host, flags, open, noteTo(screen));
  } finally {
    release();
  }
}
