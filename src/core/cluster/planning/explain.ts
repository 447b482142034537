/** A plan in words: what changes and for whom, what stays without a place, and what the reader must know. */
import type { ClusterPlan, NodeChange, PodMove, RequestChange, Seated } from './answer.js';
import { workloadNameOf, type PodClass } from './pod-classes.js';
import type { Draft } from './draft.js';
import type { PoolPlan } from './pools.js';
import type { Place, Seat } from './settled.js';
import { cardOf, notAsked, slotOf, whole, type Site } from './sites.js';

type Said = Pick<
  ClusterPlan,
  'verdict' | 'summary' | 'nodes' | 'moves' | 'seated' | 'unplaced' | 'requests' | 'pools' | 'idle' | 'notes'
>;

export function explain(draft: Draft, pools: PoolPlan): Said {
  const { settled, sites } = draft;
  const seatsOf = new Map<Place, Seat[]>();
  for (const seat of settled.seats) {
    const list = seatsOf.get(seat.place);
    if (list === undefined) seatsOf.set(seat.place, [seat]);
    else list.push(seat);
  }
  const nodes = settled.places.flatMap((place) =>
    nodeChange(place, sites[place.site], seatsOf.get(place) ?? []),
  );
  const moves = settled.seats.flatMap((seat) => moveOf(seat, pools)).sort(byPod);
  const seated = seatedOf(draft, pools);
  const unplaced = unplacedOf(draft);
  const requests = requestsOf(draft);
  const isChange = nodes.length + pools.changes.length + requests.length > 0;
  const verdict = isChange ? 'change' : unplaced.length > 0 ? 'stuck' : 'nothing-to-do';
  const said = { verdict, nodes, moves, seated, unplaced, requests, pools: pools.changes } as const;
  return { ...said, summary: summaryOf(said), idle: idleOf(draft), notes: notesOf(draft) };
}

function nodeChange(place: Place, site: Site | undefined, seats: readonly Seat[]): readonly NodeChange[] {
  const { unit, cards } = place;
  if (unit === null || cards === null || site === undefined) return [];
  const { seen } = unit;
  const before: Record<string, number> = {};
  for (const { profile, allocatable } of seen.offers)
    if (allocatable > 0) before[slotOf(profile)] = (before[slotOf(profile)] ?? 0) + allocatable;
  const after: Record<string, number> = {};
  for (const card of cards) for (const [slot, count] of card) after[slot] = (after[slot] ?? 0) + count;
  const users: Record<string, number> = {};
  for (const { pod } of seats) users[workloadNameOf(pod)] = (users[workloadNameOf(pod)] ?? 0) + 1;
  const { name } = seen.node;
  const { key } = cardOf(site);
  return [{ node: name, pool: seen.pool, model: key, gpus: seen.gpus ?? 0, before, after, users }];
}

function moveOf({ pod, podClass, place, from }: Seat, pools: PoolPlan): readonly PodMove[] {
  if (from === null || (place.unit === from && place.cards === null)) return [];
  const { node } = from.seen;
  const isGke = from.seen.partitioner === 'gke';
  const to = place.unit?.seen.node.name ?? `pool ${pools.poolOf(place)}`;
  const gpus = from.seen.gpus ?? 1;
  const which = gpus > 1 ? `; which of its ${gpus} GPUs the pod is on is not known` : '';
  const why = isGke
    ? `${node.name} gives way: GKE cuts a node when it is made`
    : `${node.name} is cut anew, and a GPU is cleared first${which}`;
  const slice = podClass.count === 1 ? podClass.slot : `${podClass.count} x ${podClass.slot}`;
  const { namespace, name } = pod;
  return [{ namespace, name, workload: workloadNameOf(pod), from: node.name, to, slice, why }];
}

function byPod(a: PodMove, b: PodMove): number {
  return `${a.from}/${a.namespace}/${a.name}` < `${b.from}/${b.namespace}/${b.name}` ? -1 : 1;
}

function seatedOf({ settled, classed }: Draft, pools: PoolPlan): readonly Seated[] {
  const found = new Map<
    string,
    { workload: string; slice: string; count: number; on: Set<string>; isThere: boolean }
  >();
  const add = (workload: string, slice: string, on: string, isThere: boolean): void => {
    const key = JSON.stringify([workload, slice, isThere]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { workload, slice, count: 1, on: new Set([on]), isThere });
    else {
      known.count += 1;
      known.on.add(on);
    }
  };
  for (const { pod, podClass, place, from } of settled.seats) {
    if (from !== null || pod.node !== null) continue;
    const on = place.unit?.seen.node.name ?? `pool ${pools.poolOf(place)}`;
    const slice = podClass.count === 1 ? podClass.slot : `${podClass.count} x ${podClass.slot}`;
    add(workloadNameOf(pod), slice, on, place.unit !== null && place.cards === null);
  }
  for (const { pod, slot, count: number, node } of classed.taken)
    add(workloadNameOf(pod), number === 1 ? slot : `${number} x ${slot}`, node, true);
  return [...found.values()].map((one) => ({ ...one, on: [...one.on].sort() }));
}

function unplacedOf({ settled, classed, sites }: Draft): ClusterPlan['unplaced'] {
  const found = new Map<string, { workload: string; count: number; why: string }>();
  const add = (workload: string, why: string): void => {
    const key = JSON.stringify([workload, why]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { workload, count: 1, why });
    else known.count += 1;
  };
  const whys = new Map<PodClass, string>();
  for (const { pod, podClass } of settled.leftOut) {
    const why = whys.get(podClass) ?? whyLeftOut(podClass, sites);
    whys.set(podClass, why);
    add(workloadNameOf(pod), why);
  }
  for (const { pod, why } of classed.hopeless) add(workloadNameOf(pod), why);
  return [...found.values()];
}

function whyLeftOut({ slot, count: number, sites: mayGo }: PodClass, all: readonly Site[]): string {
  const sites = mayGo.flatMap((index) => all[index] ?? []);
  const most = Math.max(0, ...sites.map(({ like }) => like.gpus ?? 0));
  if (slot === whole && number > most)
    return `it asks for ${number} whole GPUs on one node, and the largest that it may go to has ${most}`;
  const units = sites.flatMap((site) => site.units);
  const frozen = units.filter((unit) => unit.frozen !== null);
  const [first] = frozen;
  const name = slot === whole ? 'whole GPU' : slot;
  const wish = number === 1 ? `a ${name}` : `${number} x ${name} on one node`;
  const held =
    first === undefined
      ? ''
      : `; ${frozen.length} of ${units.length} nodes stay as they are (${first.seen.node.name}: ${first.frozen ?? ''})`;
  return `no cut of the GPUs that may be changed has ${wish} for it beside what runs${held}`;
}

function requestsOf({ classed }: Draft): readonly RequestChange[] {
  const found = new Map<string, { workload: string; pods: number; from: string; to: string }>();
  for (const { pod, from, to } of classed.resized) {
    const workload = workloadNameOf(pod);
    const key = JSON.stringify([workload, from, to]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { workload, pods: 1, from, to });
    else known.pods += 1;
  }
  return [...found.values()].sort((a, b) => (a.workload < b.workload ? -1 : 1));
}

/** Nodes with GPUs that nobody uses, afterwards too. */
function idleOf({ settled }: Draft): readonly string[] {
  const used = new Set(settled.seats.map(({ place }) => place));
  return settled.places
    .flatMap((place) => {
      const { unit } = place;
      return unit !== null && unit.isOpen && unit.pods.length === 0 && !used.has(place)
        ? [unit.seen.node.name]
        : [];
    })
    .sort();
}

function summaryOf(
  said: Pick<Said, 'verdict' | 'nodes' | 'moves' | 'seated' | 'unplaced' | 'requests' | 'pools'>,
): string {
  const { verdict, nodes, moves, seated, unplaced, requests, pools } = said;
  const placed = sum(seated.filter(({ isThere }) => !isThere).map(({ count }) => count));
  const there = sum(seated.filter(({ isThere }) => isThere).map(({ count }) => count));
  const left = sum(unplaced.map(({ count }) => count));
  const rest = left === 0 ? '' : `; ${pods(left)} ${left === 1 ? 'stays' : 'stay'} without a place`;
  if (verdict === 'stuck')
    return `Nothing to change would help: ${pods(left)} ${left === 1 ? 'has' : 'have'} no place.`;
  if (verdict === 'nothing-to-do') {
    return there === 0
      ? 'Nothing to do: no pod waits for a slice that is not there.'
      : `Nothing to change: ${pods(there)} ${there === 1 ? 'waits' : 'wait'} where slices are free.`;
  }
  const gone = sum(pools.map(({ leaving }) => leaving.length));
  const come = sum(pools.map(({ nodes: { before, after }, leaving }) => after - before + leaving.length));
  const parts = [
    ...(nodes.length === 0 ? [] : [`cut ${count(nodes.length, 'node')} anew`]),
    ...(come === 0 ? [] : [`make ${count(come, 'node')}`]),
    ...(gone === 0 ? [] : [`drop ${count(gone, 'node')}`]),
    ...(requests.length === 0 ? [] : [`change what ${count(requests.length, 'workload')} ask for`]),
  ];
  const text = parts.join(', ');
  const effect =
    placed === 0 ? '' : `: ${pods(placed)} that ${placed === 1 ? 'pends gets a place' : 'pend get a place'}`;
  const moved = `, ${moves.length === 0 ? 'no running pod moves' : `${pods(moves.length)} ${moves.length === 1 ? 'moves' : 'move'}`}`;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${effect}${moved}${rest}.`;
}

function notesOf({ sites, notWeighed, settled }: Draft): readonly string[] {
  const styles = new Set(sites.map(({ style }) => style));
  const frozen = new Map<string, { first: string; count: number }>();
  for (const { units } of sites) {
    for (const { frozen: why, seen } of units) {
      if (why === null || why === notAsked) continue;
      // Who stays is another pod each time: the reason is what they have in common.
      const reason = /^\S+\/\S+ stays: /.test(why) ? 'a pod on it stays where it is' : why;
      const known = frozen.get(reason);
      if (known === undefined) frozen.set(reason, { first: `${seen.node.name}: ${why}`, count: 1 });
      else known.count += 1;
    }
  }
  const kept = [...frozen.values()].map(({ first, count: all }) =>
    all === 1
      ? `not cut anew: ${first}`
      : `not cut anew: ${first}; and ${count(all - 1, 'node')} more for that reason`,
  );
  const isMulti = settled.places.some(({ unit, cards }) => cards !== null && (unit?.seen.gpus ?? 1) > 1);
  return [
    ...kept,
    ...(isMulti
      ? [
          'which pod is on which GPU of a node is not known here, so that all GPU pods of a node that changes count as moved',
        ]
      : []),
    ...(styles.has('gke')
      ? ['GKE: one size a node pool; other nodes are made, pods move, then the old ones go']
      : []),
    ...(notWeighed > 0
      ? [`${count(notWeighed, 'node')} with the most pods were left out to answer in time`]
      : []),
    'affinity, topology spread, CPU and memory of nodes are not looked at: the scheduler has the last word',
  ];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function pods(number: number): string {
  return count(number, 'pod');
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
