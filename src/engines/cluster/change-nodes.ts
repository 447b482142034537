/** Several nodes, never more out of service at once than is allowed; changes that were begun before come first. */
import { readRecord } from '#core/cluster/operator/record';
import { worstOf, type NodeOutcome, type NodesAnswer, type NodeWhy } from './answer.js';
import { changeNode } from './change-node.js';
import { ConfigBook } from './config-book.js';
import { notingEvents } from './note-events.js';
import type { NodesOptions, WantedNode } from './options.js';
import type { ClusterPorts } from './ports.js';

/** Whether there is room is asked of the cluster when a node's turn comes: other processes take nodes away, too. */
export async function changeNodes(
  given: ClusterPorts,
  wanted: readonly WantedNode[],
  options: NodesOptions,
): Promise<NodesAnswer> {
  const ports = options.onNote === undefined ? given : notingEvents(given, options.onNote);
  const book = new ConfigBook(ports, options);
  const outcomes = new Map<string, NodeOutcome>();
  const { queue, watched } = await inOrder(ports, wanted, options);
  const counts = options.room?.counts;
  const room = { most: options.maxUnavailable, watched, ...(counts !== undefined && { counts }) };
  const running = new Map<string, Promise<void>>();
  const start = (one: WantedNode): void => {
    const done = changeNode(ports, one, { ...options, room }, book).then((outcome) => {
      running.delete(one.node);
      // It comes to its turn once more when one of ours is back.
      const isCrowdedOut = outcome.outcome === 'refused' && outcome.why?.kind === 'other-node';
      if (isCrowdedOut && running.size > 0) queue.push(one);
      else outcomes.set(one.node, outcome);
      // What failed stays cordoned.
      if (outcome.outcome === 'failed') watched.add(one.node);
    });
    running.set(one.node, done);
  };
  /** Which is no answer for a node that is as wanted already. */
  const notBegun = async (one: WantedNode, why: NodeWhy): Promise<NodeOutcome> => {
    const rehearsal = await changeNode(ports, one, { ...options, dryRun: true }, book);
    const isSettled = rehearsal.outcome === 'unchanged' || rehearsal.outcome === 'refused';
    return isSettled ? rehearsal : { node: one.node, outcome: 'refused', why };
  };
  const most = options.dryRun === true ? rehearsalsAtOnce : options.maxUnavailable;
  for (;;) {
    const one = queue.shift();
    if (one === undefined && running.size === 0) break;
    while (one === undefined ? running.size > 0 && queue.length === 0 : running.size >= most) {
      await Promise.race(running.values());
    }
    if (one === undefined) continue;
    const no = whyNot(ports, outcomes, options);
    if (no === null) start(one);
    else outcomes.set(one.node, await notBegun(one, no));
  }
  const nodes = wanted.flatMap(({ node }) => outcomes.get(node) ?? []);
  return { outcome: worstOf(nodes), nodes };
}

interface Order {
  readonly queue: WantedNode[];
  /** Nodes that count as long as pods cannot use them, whoever is to blame. */
  readonly watched: Set<string>;
}

async function inOrder(
  { api }: ClusterPorts,
  wanted: readonly WantedNode[],
  { outOfService = [] }: NodesOptions,
): Promise<Order> {
  const watched = new Set(outOfService);
  const first: WantedNode[] = [];
  const rest: WantedNode[] = [];
  for (const one of wanted) {
    const node = await api.getNode(one.node);
    const read = node.ok ? readRecord(node.value.annotations) : null;
    (read === null ? rest : first).push(one);
    const isAway = node.ok ? node.value.isCordoned || !node.value.isReady : node.why.kind !== 'gone';
    if (isAway && read === null) watched.add(one.node);
  }
  return { queue: [...first, ...rest], watched };
}

/** A look at many nodes asks the API server a few questions at a time. */
const rehearsalsAtOnce = 8;

function whyNot(
  { clock }: ClusterPorts,
  outcomes: ReadonlyMap<string, NodeOutcome>,
  { deadlineMs = Infinity, keepGoing = false, dryRun = false, signal }: NodesOptions,
): NodeWhy | null {
  if (dryRun) return null;
  if (signal?.aborted === true) return { kind: 'interrupted', message: 'stopped before it was begun' };
  if (clock.nowMs() >= deadlineMs)
    return { kind: 'no-time', message: 'the time was over before it was begun' };
  const bad = [...outcomes.values()].find(({ outcome }) => outcome === 'failed' || outcome === 'rolled-back');
  if (bad === undefined || keepGoing) return null;
  return { kind: 'other-node', message: `not begun, since ${bad.node} ended with ${bad.outcome}` };
}
