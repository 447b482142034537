/** Back to the old pool: its nodes take pods again, it scales again, and the new pool goes once it is empty. */
import type { PoolView } from '#ports/node-pools';
import { emptyNodes, uncordon } from './empty-nodes.js';
import { asAnswer, look } from './look.js';
import { nodesOf } from './movable.js';
import type { PoolChangeOptions, PoolPorts } from './ports.js';

export type BackAnswer = { readonly ok: true } | { readonly ok: false; readonly left: readonly string[] };

/** Goes on after a failure, so that as much as can be is as before; what could not is named. */
export async function rollBack(
  ports: PoolPorts,
  old: PoolView,
  newPool: string,
  evicted: Map<string, string>,
  options: PoolChangeOptions,
): Promise<BackAnswer> {
  const { pools } = ports;
  const left: string[] = [];
  const opened = await asAnswer(async () => {
    return uncordon(ports, nodesOf(await look(ports, options), old.nodeLabel), newPool);
  });
  if (!opened.ok) left.push(opened.why.message);
  const restored = await pools.restoreScaling(old.name, newPool, options);
  if (!restored.ok) left.push(`node pool ${old.name} does not scale by itself: ${restored.why.message}`);
  const there = await pools.get(newPool);
  if (!there.ok) left.push(`node pool ${newPool}, maybe: ${there.why.message}`);
  else if (there.value !== null) {
    const { value } = there;
    const emptied = await asAnswer(() => emptyNodes(ports, value, newPool, evicted, options));
    const gone = emptied.ok ? await pools.remove(newPool, options) : emptied;
    if (!gone.ok) left.push(`node pool ${newPool}: ${gone.why.message}`);
  }
  return left.length === 0 ? { ok: true } : { ok: false, left };
}
