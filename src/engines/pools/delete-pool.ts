/**
 * A pool that goes for good: its pods move to where they find a place, then the cloud takes it away. It may grow by itself
 * until then, since nothing but the pool itself knows its limits, and what did not go is given back as it was.
 */
import type { PoolView } from '#ports/node-pools';
import { emptyNodes, uncordon } from './empty-nodes.js';
import { asAnswer, look, nodesIn, podsToMove } from './look.js';
import { losingNotes, nobodyMakesAgain, namesOf, nodesOf } from './movable.js';
import { podsWithoutPlace } from './places.js';
import type { PoolAnswer, PoolChangeOptions, PoolPorts, PoolProblem } from './ports.js';

const again = 'Run the same command again: it looks, and goes on from there.';

export async function deletePool(
  ports: PoolPorts,
  pool: string,
  options: PoolChangeOptions,
): Promise<PoolAnswer> {
  const { pools } = ports;
  const base: PoolAnswer = {
    ...{ outcome: 'refused', pool, newPool: null, slices: null },
    ...{ left: [], evicted: [], requests: [], notes: [] },
  };
  const found = await pools.get(pool);
  if (!found.ok) return { ...base, why: found.why };
  if (found.value === null) {
    const next = 'See which there are with `mica cluster pool list`.';
    return { ...base, why: { message: `${pools.shown} has no node pool ${pool}`, next } };
  }
  const { value: view } = found;
  const seen = { ...base, slices: view.slices };
  if (view.state === 'going') {
    if (options.dryRun === true) return { ...seen, outcome: 'planned', notes: ['It is going already.'] };
    return removed(ports, pool, seen, options);
  }
  const state = await look(ports, options);
  const nodes = nodesOf(state, view.nodeLabel);
  const pods = await podsToMove(ports, nodes, options);
  if (!pods.ok) return { ...seen, why: { message: pods.why.message, next: 'Allow the user to list pods.' } };
  const bare = options.evictBare === true ? null : nobodyMakesAgain(pods.value);
  if (bare !== null) return { ...seen, why: bare };
  const homeless = options.leavePending === true ? [] : podsWithoutPlace(pods.value, state, nodes);
  if (homeless.length > 0) {
    const message = `these pods would find no place on the nodes that stay: ${namesOf(homeless)}`;
    return { ...seen, why: { message, next: 'Make room for them first, or allow it with --leave-pending.' } };
  }
  const closing = await pools.closing(pool);
  if (!closing.ok) return { ...seen, why: closing.why };
  const requests = closing.value.filter(({ method }) => method === 'DELETE');
  const notes = [
    ...(pods.value.length === 0 ? [] : [`these pods move: ${namesOf(pods.value)}`]),
    ...losingNotes(pods.value),
  ];
  const planned: PoolAnswer = { ...seen, requests, notes };
  if (options.dryRun === true) return { ...planned, outcome: 'planned' };
  return carryOut(ports, view, planned, options);
}

async function carryOut(
  ports: PoolPorts,
  view: PoolView,
  planned: PoolAnswer,
  options: PoolChangeOptions,
): Promise<PoolAnswer> {
  const evicted = new Map<string, string>();
  const forWhom = `the deletion of ${view.name}`;
  const emptied = await asAnswer(() => emptyNodes(ports, view, forWhom, evicted, options));
  const seen = { ...planned, evicted: [...evicted.values()] };
  if (emptied.ok) return removed(ports, view.name, seen, options);
  if (options.signal.aborted) {
    const why: PoolProblem = { message: `interrupted: ${emptied.why.message}`, next: again };
    return { ...seen, outcome: 'failed', why, left: [`node pool ${view.name}, cordoned`] };
  }
  options.say(`going back: ${emptied.why.message}`);
  const back = await asAnswer(async () => {
    const nodes = await nodesIn(ports, view, options);
    if (nodes.ok) return uncordon(ports, nodes.value, forWhom, options);
    return { ok: false, why: { message: `its nodes stay cordoned: ${nodes.why.message}`, next: again } };
  });
  if (back.ok) return { ...seen, outcome: 'rolled-back', why: emptied.why };
  return { ...seen, outcome: 'failed', why: emptied.why, left: [back.why.message] };
}

async function removed(
  { pools }: PoolPorts,
  pool: string,
  answer: PoolAnswer,
  options: PoolChangeOptions,
): Promise<PoolAnswer> {
  const gone = await pools.remove(pool, options);
  if (gone.ok) return { ...answer, outcome: 'done' };
  const left = [`node pool ${pool}, empty and cordoned`];
  return { ...answer, outcome: 'failed', why: { message: gone.why.message, next: again }, left };
}
