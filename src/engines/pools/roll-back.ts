/** Back to the old pool: its nodes take pods again, it scales again, and the new pool goes once it is empty. */
import type { PoolView } from '#ports/node-pools';
import { emptyNodes, uncordon } from './empty-nodes.js';
import { asAnswer, nodesIn } from './look.js';
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
    const nodes = await nodesIn(ports, old, options);
    if (nodes.ok) return uncordon(ports, nodes.value, newPool, options);
    return {
      ok: false,
      why: { message: `nodes of ${old.name} stay cordoned: ${nodes.why.message}`, next: '' },
    };
  });
  if (!opened.ok) left.push(opened.why.message);
  const restored = await pools.restoreScaling(old.name, newPool, options);
  const [there, before] = [await pools.get(newPool), await pools.get(old.name)];
  if (!restored.ok) {
    const scaling = old.scaling ?? (there.ok ? (there.value?.scaling ?? null) : null);
    const limits = scaling === null ? '' : ` (it did from ${scaling.minNodes} to ${scaling.maxNodes})`;
    left.push(`node pool ${old.name} does not scale by itself${limits}: ${restored.why.message}`);
  }
  if (!there.ok) left.push(`node pool ${newPool}, maybe: ${there.why.message}`);
  else if (!before.ok || before.value === null || before.value.state === 'going') {
    // Another run may have taken the old one away meanwhile: then the new one is all that there is.
    if (there.value !== null) left.push(`node pool ${newPool}: ${old.name} is not there to go back to`);
  } else if (there.value !== null) {
    const { value } = there;
    const emptied = await asAnswer(() => emptyNodes(ports, value, newPool, evicted, options));
    const gone = emptied.ok ? await pools.remove(newPool, options) : emptied;
    if (!gone.ok) left.push(`node pool ${newPool}: ${gone.why.message}`);
  }
  return left.length === 0 ? { ok: true } : { ok: false, left };
}
