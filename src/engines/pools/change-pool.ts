/**
 * The safe change of a pool's slice size: a new pool like the old one, its nodes ready, the pods moved, the old pool gone.
 * What was done is found by looking, never remembered: run again, it goes on from where it was broken off.
 */
import type { CloudAnswer, PoolDraft, PoolView } from '#ports/node-pools';
import { awaitReady } from './await-ready.js';
import { emptyNodes } from './empty-nodes.js';
import { asAnswer, look, nodesIn } from './look.js';
import { nodesOf, notesOnPods, standsInTheWay } from './movable.js';
import { nameOfRecut } from './new-name.js';
import {
  replacesLabel,
  type PoolAnswer,
  type PoolChange,
  type PoolChangeOptions,
  type PoolPorts,
  type PoolProblem,
  type StepAnswer,
} from './ports.js';
import { rollBack } from './roll-back.js';

export async function changePool(
  ports: PoolPorts,
  change: PoolChange,
  options: PoolChangeOptions,
): Promise<PoolAnswer> {
  const { pools } = ports;
  const name = change.name ?? nameOfRecut(change.pool, change.cut, change.sharers);
  const base: PoolAnswer = {
    outcome: 'refused',
    pool: change.pool,
    newPool: null,
    slices: null,
    left: [],
    evicted: [],
    requests: [],
    notes: [],
  };
  const [old, found] = [await pools.get(change.pool), await pools.get(name)];
  if (!old.ok) return { ...base, why: old.why };
  if (!found.ok) return { ...base, why: found.why };
  const there = await withoutGoing(ports, found.value, options);
  if (!there.ok) return { ...base, why: there.why };
  if (old.value?.state === 'going' && options.dryRun !== true) {
    const gone = await pools.remove(change.pool, options);
    if (!gone.ok)
      return { ...base, outcome: 'failed', why: gone.why, left: [`node pool ${change.pool}, going`] };
    return withoutOld(ports, change.pool, there.value, base, options);
  }
  if (old.value === null) return withoutOld(ports, change.pool, there.value, base, options);
  const state = await look(ports, options);
  const draft = await pools.draft({
    name,
    like: change.pool,
    cut: change.cut,
    sharers: change.sharers,
    nodes: change.nodes ?? nodesOf(state, old.value.nodeLabel).length,
    labels: { [replacesLabel]: change.pool },
  });
  if (!draft.ok) return { ...base, why: draft.why };
  const drafted = { ...base, newPool: name, slices: draft.value.slices, notes: draft.value.notes };
  if (change.name === undefined && sameSlices(old.value, draft.value))
    return { ...drafted, outcome: 'unchanged' };
  const why = standsInTheWay(state, old.value, draft.value, options);
  if (why !== null) return { ...drafted, why };
  const closing = await pools.closing(change.pool);
  if (!closing.ok) return { ...drafted, why: closing.why };
  const notes = [...draft.value.notes, ...notesOnPods(state, old.value)];
  const planned = { ...drafted, notes, requests: [...draft.value.requests, ...closing.value] };
  if (options.dryRun === true) return { ...planned, outcome: 'planned' };
  return carryOut(ports, old.value, draft.value, planned, options);
}

async function carryOut(
  ports: PoolPorts,
  old: PoolView,
  draft: PoolDraft,
  planned: PoolAnswer,
  options: PoolChangeOptions,
): Promise<PoolAnswer> {
  const { pools } = ports;
  const evicted = new Map<string, string>();
  const answer = (more: Partial<PoolAnswer> & Pick<PoolAnswer, 'outcome'>): PoolAnswer => ({
    ...planned,
    evicted: [...evicted.values()],
    ...more,
  });
  const stop = async (why: PoolProblem): Promise<PoolAnswer> => {
    if (options.signal.aborted) {
      const message = `interrupted: ${why.message}`;
      return answer({
        outcome: 'failed',
        why: { message, next: again },
        left: [`pools ${old.name} and ${draft.name}`],
      });
    }
    options.say(`going back: ${why.message}`);
    const back = await rollBack(ports, old, draft.name, evicted, options);
    if (back.ok) return answer({ outcome: 'rolled-back', why });
    return answer({ outcome: 'failed', why, left: back.left });
  };

  const made = await pools.create(draft, options);
  if (!made.ok) {
    const there = await pools.get(draft.name);
    const isNothing = (there.ok && there.value === null) || made.why.kind === 'name-taken';
    return isNothing ? answer({ outcome: 'refused', why: made.why }) : stop(made.why);
  }
  options.say(`node pool ${draft.name} is there; waiting for its nodes`);
  const steps: readonly (() => Promise<StepAnswer>)[] = [
    () => awaitReady(ports, made.value, { ...draft, nodes: nodesToCome(made.value, draft) }, options),
    async () => asStep(await pools.holdScaling(old.name, options)),
    () => emptyNodes(ports, old, draft.name, evicted, options),
  ];
  for (const step of steps) {
    const ended = await asAnswer(step);
    if (!ended.ok) return stop(ended.why);
  }
  // Another run may be going back at this moment.
  const taken = await pools.get(draft.name);
  if (!taken.ok || taken.value === null || taken.value.state === 'going') {
    const said = taken.ok ? 'it is gone' : taken.why.message;
    return stop({ message: `node pool ${draft.name} is not there to take over: ${said}`, next: again });
  }
  const removed = await pools.remove(old.name, options);
  if (removed.ok) return answer({ outcome: 'done' });
  // The pods are at work on the new nodes by now: going back would disturb them again for nothing.
  const left = [`node pool ${old.name}, empty and cordoned; ${draft.name} is at work`];
  return answer({ outcome: 'failed', why: { ...removed.why, next: again }, left });
}

const again = 'Run the same command again: it looks, and goes on from there.';

/** The old pool is gone: either an earlier run was broken off at the very end, or it never was. */
async function withoutOld(
  ports: PoolPorts,
  old: string,
  there: PoolView | null,
  base: PoolAnswer,
  options: PoolChangeOptions,
): Promise<PoolAnswer> {
  if (there?.labels[replacesLabel] !== old) {
    const next = 'See which there are with `mica cluster pool list`.';
    return { ...base, why: { message: `${ports.pools.shown} has no node pool ${old}`, next } };
  }
  const ours = { ...base, newPool: there.name, slices: there.slices };
  if (options.dryRun === true) return { ...ours, outcome: 'unchanged' };
  const nodes = await nodesIn(ports, there, options);
  const wanted = { slices: there.slices ?? [], nodes: nodes.ok ? nodes.value.length : 1 };
  const ready = await awaitReady(ports, there, wanted, options);
  return ready.ok
    ? { ...ours, outcome: 'done' }
    : { ...ours, outcome: 'failed', why: ready.why, left: [there.name] };
}

/** An earlier run may have begun to take it away: it is made anew when it is gone. */
async function withoutGoing(
  { pools }: PoolPorts,
  there: PoolView | null,
  options: PoolChangeOptions,
): Promise<CloudAnswer<PoolView | null>> {
  if (there?.state !== 'going' || options.dryRun === true) return { ok: true, value: there };
  const gone = await pools.remove(there.name, options);
  return gone.ok ? { ok: true, value: null } : gone;
}

/** One that was begun before may be smaller than the old pool is by now. */
function nodesToCome({ nodes }: PoolView, draft: PoolDraft): number {
  return Math.min(nodes ?? draft.nodes, draft.nodes);
}

function sameSlices({ slices }: PoolView, draft: PoolDraft): boolean {
  return slices !== null && JSON.stringify(slices) === JSON.stringify(draft.slices);
}

function asStep(answer: CloudAnswer<null>): StepAnswer {
  return answer.ok ? { ok: true } : answer;
}
