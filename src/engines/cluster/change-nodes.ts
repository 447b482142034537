/** Several nodes, never more out of service at once than is allowed; changes that were begun before come first. */
import { readRecord } from '#core/cluster/operator/record';
import { worstOf, type NodeOutcome, type NodesAnswer, type NodeWhy } from './answer.js';
import { changeNode } from './change-node.js';
import { ConfigBook } from './config-book.js';
import { notingEvents } from './note-events.js';
import type { NodesOptions, WantedNode } from './options.js';
import type { ClusterPorts } from './ports.js';

export async function changeNodes(
  given: ClusterPorts,
  wanted: readonly WantedNode[],
  options: NodesOptions,
): Promise<NodesAnswer> {
  const ports = options.onNote === undefined ? given : notingEvents(given, options.onNote);
  const book = new ConfigBook(ports, options);
  const outcomes = new Map<string, NodeOutcome>();
  const { queue, away, staying } = await inOrder(ports, wanted, options);
  const running = new Map<string, Promise<void>>();
  const start = (one: WantedNode): void => {
    away.add(one.node);
    const done = changeNode(ports, one, options, book).then((outcome) => {
      outcomes.set(one.node, outcome);
      // What failed stays cordoned.
      if (outcome.outcome !== 'failed' && !staying.has(one.node)) away.delete(one.node);
      running.delete(one.node);
    });
    running.set(one.node, done);
  };
  /** Which is no answer for a node that is as wanted already. */
  const notBegun = async (one: WantedNode, why: NodeWhy): Promise<NodeOutcome> => {
    const rehearsal = await changeNode(ports, one, { ...options, dryRun: true }, book);
    const isSettled = rehearsal.outcome === 'unchanged' || rehearsal.outcome === 'refused';
    return isSettled ? rehearsal : { node: one.node, outcome: 'refused', why };
  };
  for (const one of queue) {
    let no = whyNot(ports, outcomes, options);
    while (no === null && !hasRoom(one, running.size, away, options) && running.size > 0) {
      await Promise.race(running.values());
      no = whyNot(ports, outcomes, options);
    }
    if (no === null && hasRoom(one, running.size, away, options)) start(one);
    else outcomes.set(one.node, await notBegun(one, no ?? noRoom(away, options)));
  }
  await Promise.all(running.values());
  const nodes = wanted.flatMap(({ node }) => outcomes.get(node) ?? []);
  return { outcome: worstOf(nodes), nodes };
}

interface Order {
  readonly queue: readonly WantedNode[];
  /** Nodes that pods cannot use now, whoever is to blame. */
  readonly away: Set<string>;
  /** Those that Mica will not give back: it did not take them away. */
  readonly staying: ReadonlySet<string>;
}

async function inOrder(
  { api }: ClusterPorts,
  wanted: readonly WantedNode[],
  { outOfService = [] }: NodesOptions,
): Promise<Order> {
  const away = new Set(outOfService);
  const staying = new Set(outOfService);
  const first: WantedNode[] = [];
  const rest: WantedNode[] = [];
  for (const one of wanted) {
    const node = await api.getNode(one.node);
    const read = node.ok ? readRecord(node.value.annotations) : null;
    (read === null ? rest : first).push(one);
    const isOurs = read !== null && read !== 'unreadable' && read.cordonedByUs;
    const isAway = node.ok ? node.value.isCordoned || !node.value.isReady : node.why.kind !== 'gone';
    if (isAway || read !== null) away.add(one.node);
    if (isAway && !isOurs) staying.add(one.node);
  }
  return { queue: [...first, ...rest], away, staying };
}

/** A look at many nodes asks the API server a few questions at a time. */
const rehearsalsAtOnce = 8;

function hasRoom(
  { node }: WantedNode,
  running: number,
  away: ReadonlySet<string>,
  { maxUnavailable, dryRun = false }: NodesOptions,
): boolean {
  if (dryRun) return running < rehearsalsAtOnce;
  return running < maxUnavailable && (away.has(node) || away.size < maxUnavailable);
}

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

function noRoom(away: ReadonlySet<string>, { maxUnavailable }: NodesOptions): NodeWhy {
  const names = [...away].slice(0, 5).join(', ');
  const message = `no more than ${maxUnavailable} nodes may be out of service, and ${names} ${away.size === 1 ? 'is' : 'are'}`;
  const next =
    'Give those back first (mica cluster show says why they are away), or raise --max-unavailable.';
  return { kind: 'other-node', message, next };
}
