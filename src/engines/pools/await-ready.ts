/** Waits until a pool's nodes are there, ready, and offer the slices that were promised; takes the startup taint away. */
import { slicesMissing, startupTaint, type PromisedSlices } from '#core/clouds/slices-ready';
import type { ClusterNode } from '#core/cluster/objects';
import type { PoolView } from '#ports/node-pools';
import { nodesIn } from './look.js';
import type { PoolChangeOptions, PoolPorts, StepAnswer } from './ports.js';

const lookEveryMs = 5000;
const defaultTimeoutMs = 30 * 60_000;

export async function awaitReady(
  ports: PoolPorts,
  pool: PoolView,
  wanted: { readonly slices: readonly PromisedSlices[]; readonly nodes: number },
  options: PoolChangeOptions,
): Promise<StepAnswer> {
  const { cluster, pools, clock } = ports;
  const { signal, say, readyTimeoutMs = defaultTimeoutMs } = options;
  const deadlineMs = clock.nowMs() + readyTimeoutMs;
  for (;;) {
    const seen = await nodesIn(ports, pool, options);
    if (!seen.ok) {
      const next = 'Look at the API server of the cluster, then run the same command again.';
      return {
        ok: false,
        why: { message: `the nodes of ${pool.name} cannot be looked at: ${seen.why.message}`, next },
      };
    }
    const nodes = seen.value;
    const troubles: string[] = [];
    for (const node of nodes) {
      const missing = troublesOf(node, wanted.slices);
      if (missing.length > 0) troubles.push(`${node.name}: ${missing.join(', ')}`);
      else if (!(await opened(cluster, node)))
        troubles.push(`${node.name}: its startup taint could not be removed`);
    }
    if (nodes.length < wanted.nodes) troubles.push(`${nodes.length} of ${wanted.nodes} nodes have joined`);
    if (troubles.length === 0) return { ok: true };
    if (signal.aborted || clock.nowMs() >= deadlineMs) {
      const [first] = nodes.filter((node) => troublesOf(node, wanted.slices).length > 0);
      const said = first === undefined ? null : await pools.bootFailure(first.name);
      const message = `the nodes of ${pool.name} are not ready: ${troubles.slice(0, 4).join('; ')}`;
      return {
        ok: false,
        why: {
          message: said === null ? message : `${message}; ${first?.name ?? ''} said at boot: ${said}`,
          next: 'Look at the nodes (kubectl describe node) and at the log of the device plugin there.',
        },
      };
    }
    say(troubles.slice(0, 2).join('; '));
    await clock.sleep(lookEveryMs, signal);
  }
}

function troublesOf(node: ClusterNode, slices: readonly PromisedSlices[]): readonly string[] {
  return [...(node.isReady ? [] : ['not ready']), ...slicesMissing(node, slices)];
}

async function opened(cluster: PoolPorts['cluster'], node: ClusterNode): Promise<boolean> {
  if (!node.taints.some(({ key }) => key === startupTaint.key)) return true;
  const { key, effect } = startupTaint;
  return (await cluster.patchNode(node.name, { removeTaints: [{ key, effect }] })).ok;
}
