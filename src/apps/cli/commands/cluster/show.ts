/** `mica cluster show`: the GPU nodes of a Kubernetes cluster drawn as slices, and what waits for them. */
import { systemClock } from '#adapters/system/clock';
import { untilInterrupted } from '#adapters/system/interruption';
import { MicaError } from '#core/errors';
import type { ClusterState } from '#core/cluster/objects';
import type { ClusterApi } from '#ports/cluster-api';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { printable, screenOn } from '../../terminal/screen.js';
import { drawFrame } from '../node/watch.js';
import { clusterAsJson } from './cluster-json.js';
import { describeCluster } from './describe-cluster.js';
import { clusterFromFile } from './from-file.js';
import { withCluster, type ClusterFlags } from './open-cluster.js';
import { seeCluster, type SeenCluster } from './see-cluster.js';

export interface ShowClusterFlags extends ClusterFlags {
  /** What kubectl printed, instead of a cluster; never with `watch`. */
  readonly from?: string;
  readonly pool?: string;
  readonly all?: boolean;
  readonly watch?: boolean;
}

export async function showClusterCommand(
  context: Context,
  _positional: readonly never[],
  flags: ShowClusterFlags,
): Promise<AnswerExit> {
  if (flags.from !== undefined) {
    showOnce(context, await clusterFromFile(flags.from), flags, []);
    return 0;
  }
  const { signal, release } = untilInterrupted();
  try {
    const notes: string[] = [];
    const show = async (api: ClusterApi): Promise<void> => {
      if (flags.watch === true) return watchIt(context, api, { ...flags, notes }, signal);
      showOnce(context, await api.read(signal), flags, notes);
    };
    await withCluster(context.host, flags, show, (note) => notes.push(note));
  } catch (error) {
    // Ctrl-C ends a look as it ends a watch.
    if (!signal.aborted) throw error;
  } finally {
    release();
  }
  return 0;
}

function showOnce(
  { screen, json }: Context,
  state: ClusterState,
  flags: ShowClusterFlags,
  notes: readonly string[],
): void {
  const seen = look(state, flags);
  for (const note of notes) screen.note(`note: ${printable(note)}`);
  if (json) printJson(screen, clusterAsJson(seen, notes));
  else screen.print(describeCluster(screen, seen, flags.all === true));
}

/** No eye follows more, and a cluster of thousands changes all the time. */
const leastMs = 500;

async function watchIt(
  { host, json }: Context,
  api: ClusterApi,
  { notes, ...flags }: ShowClusterFlags & { readonly notes: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const watch = await api.watch(signal);
  try {
    while (!signal.aborted) {
      const version = watch.version();
      // A terminal may have another width by now.
      const screen = screenOn(host);
      const at = new Date(systemClock.nowMs()).toISOString().replace(/\.\d+/, '');
      const seen = look(watch.state(), flags);
      const trouble = watch.trouble();
      if (json) {
        const why = trouble === null ? {} : { trouble };
        screen.print(JSON.stringify({ at, ...why, ...clusterAsJson(seen, notes) }));
      } else {
        const text = describeCluster(screen, seen, flags.all === true);
        const warning =
          trouble === null ? '' : `\n${screen.style.red(`not up to date: ${printable(trouble.message)}`)}`;
        const unseen = notes.map((note) => `\nnote: ${printable(note)}`).join('');
        drawFrame(screen, `${screen.style.dim(at)}${warning}${unseen}\n\n${text}`);
      }
      await systemClock.sleep(leastMs, signal);
      await watch.changed(version, signal);
    }
  } finally {
    await watch.close();
  }
}

function look(state: ClusterState, { pool }: ShowClusterFlags): SeenCluster {
  const seen = seeCluster(state, pool);
  if (pool === undefined || seen.pools.includes(pool)) return seen;
  const known = seen.pools.length === 0 ? 'no GPU node says its pool' : `there are ${seen.pools.join(', ')}`;
  throw new MicaError('bad-usage', `no node pool with GPUs is called '${pool}': ${known}`, {
    next: 'Name one of the pools, or leave --pool out.',
  });
}
