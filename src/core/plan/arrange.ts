/** From counts to places: which card gets which slices, and who sits where. Keeps what is cut already where it can. */
import type { Layout, Placement } from '#core/geometry/placement';
import type { CardChoice, MachineChoice } from '#core/packing/fleet/choices';
import { wholeCard } from '#core/packing/fleet/problem';
import type { FleetSolution } from '#core/packing/fleet/solve';
import { cardsFor, placementsOn, withKept } from './card-layout.js';
import type { PlanClass } from './classes.js';
import type { Assignment, PlannedGpu } from './plan.js';
import type { FleetCard, SupplyPool } from './supply.js';

/** A card in use: what the plan wants on it, what it keeps from before. */
export interface ArrangedCard {
  readonly card: FleetCard;
  readonly pool: SupplyPool;
  readonly planned: PlannedGpu;
}

export interface Arrangement {
  readonly cards: readonly ArrangedCard[];
  readonly assignment: readonly Assignment[];
  /** Machines taken per pool. */
  readonly machines: readonly number[];
}

/** Deterministic: the same solution gives the same arrangement. */
export function arrange(
  pools: readonly SupplyPool[],
  classes: readonly PlanClass[],
  solution: FleetSolution,
): Arrangement {
  const nodeName = namesOfRented(pools);
  const seats = new SeatList();
  const whole: ArrangedCard[] = [];
  const cut: { card: FleetCard; pool: SupplyPool; wanted: Layout }[] = [];
  const machines = pools.map((pool, poolIndex) => {
    const choices = solution.choices[poolIndex] ?? { cards: [], machines: [] };
    const divided = expand(choices.machines, solution.machines[poolIndex] ?? []);
    const singles = new Map<number | undefined, FleetCard[]>();
    for (const { name, cards, choice } of machinesOf(pool, divided, nodeName)) {
      let next = 0;
      for (const [size, count] of choice.groups) {
        for (let group = 0; group < count; group += 1) {
          seats.add(poolIndex, groupSeat(size), {
            node: name,
            cards: cards.slice(next, next + size),
            placement: null,
          });
          next += size;
        }
      }
      const alike = singles.get(choice.only);
      if (alike === undefined) singles.set(choice.only, cards.slice(next));
      else alike.push(...cards.slice(next));
    }
    for (const { card, choice } of cutCards(singles, choices.cards, solution.cards[poolIndex] ?? [])) {
      if (choice.counts.has(wholeCard)) {
        seats.add(poolIndex, wholeCard, { node: card.node, cards: [card], placement: null });
        continue;
      }
      const wanted = placementsOn(pool, card, choice);
      const [only] = wanted;
      if (only !== undefined && fillsCard(pool, only) && card.slices.length === 0) {
        seats.add(poolIndex, only.profile, { node: card.node, cards: [card], placement: null });
        continue;
      }
      cut.push({ card, pool, wanted });
      for (const placement of wanted) {
        seats.add(poolIndex, placement.profile, { node: card.node, cards: [card], placement });
      }
    }
    return divided.length;
  });

  const assignment: Assignment[] = [];
  const used = new Set<string>();
  for (const { needClass, service, slices } of servicesTaken(classes, solution)) {
    const { slot, replicas, pool } = service;
    for (let slice = 0; slice < slices; slice += 1) {
      const names = needClass.nextReplicas(replicas);
      if (names.length === 0) break;
      const seat = seats.take(pool, needClass.gpus > 1 ? groupSeat(needClass.gpus) : slot);
      const supply = pools[pool];
      if (seat === undefined || supply === undefined)
        throw new RangeError(`the solution has too few slices of ${slot}`);
      for (const card of seat.cards) {
        for (const need of names)
          assignment.push({ need, node: card.node, index: card.index, placement: seat.placement });
        if (seat.placement === null) {
          whole.push({ card, pool: supply, planned: planned(supply, card, false, []) });
        } else used.add(seatKey(card, seat.placement));
      }
    }
  }
  const cards = cut.flatMap(({ card, pool, wanted }): readonly ArrangedCard[] => {
    const needed = wanted.filter((placement) => used.has(seatKey(card, placement)));
    if (needed.length === 0) return [];
    return [{ card, pool, planned: planned(pool, card, true, withKept(pool, card, needed)) }];
  });
  return { cards: inFleetOrder(pools, [...whole, ...cards]), assignment, machines };
}

interface Seat {
  readonly node: string;
  readonly cards: readonly FleetCard[];
  readonly placement: Placement | null;
}

/** Places that are made but not yet given to anybody, by pool and kind of slot. */
class SeatList {
  readonly #free = new Map<string, { seats: Seat[]; next: number }>();

  add(pool: number, slot: string, seat: Seat): void {
    const key = `${pool}/${slot}`;
    const list = this.#free.get(key);
    if (list === undefined) this.#free.set(key, { seats: [seat], next: 0 });
    else list.seats.push(seat);
  }

  take(pool: number, slot: string): Seat | undefined {
    const list = this.#free.get(`${pool}/${slot}`);
    return list?.seats[list.next++];
  }
}

function groupSeat(size: number): string {
  return `${size} whole cards`;
}

function seatKey(card: FleetCard, { profile, start }: Placement): string {
  return `${card.node}/${card.index}/${profile}:${start}`;
}

/** The slice that is the whole card: without MIG the same card is no smaller, and needs no mode change. */
function fillsCard({ model }: SupplyPool, { profile }: Placement): boolean {
  if (model.kind !== 'mig') return false;
  return model.profiles.some(({ name, attribute, sizeUnits }) => {
    return name === profile && attribute === null && sizeUnits === model.gridUnits;
  });
}

function planned(pool: SupplyPool, card: FleetCard, mig: boolean, placements: Layout): PlannedGpu {
  const busy = pool.taken.length > 0 ? { busy: pool.taken } : {};
  return { node: card.node, index: card.index, model: pool.model.key, mig, placements, ...busy };
}

function expand<T>(choices: readonly T[], counts: readonly number[]): readonly T[] {
  return choices.flatMap((choice, index) => Array<T>(counts[index] ?? 0).fill(choice));
}

/** The machines taken, with their cards. Owned machines with the least cut on them carry the groups. */
function machinesOf(
  pool: SupplyPool,
  divided: readonly MachineChoice[],
  nodeName: (pool: SupplyPool, machine: number) => string,
): readonly { name: string; cards: readonly FleetCard[]; choice: MachineChoice }[] {
  const groupsFirst = [...divided].sort((a, b) => a.singles - b.singles);
  const slicesOn = (node: SupplyPool['nodes'][number]): number =>
    node.cards.reduce((sum, card) => sum + card.slices.length, 0);
  const emptiestFirst = [...pool.nodes].sort((a, b) => slicesOn(a) - slicesOn(b));
  // Where no card is used in a group, the machines that hold slices already are used first: less is cut anew.
  const order = groupsFirst.some(({ groups }) => groups.size > 0)
    ? emptiestFirst
    : emptiestFirst.toReversed();
  return groupsFirst.map((choice, machine) => {
    const node = order[machine];
    if (node !== undefined) return { name: node.name, cards: leastCutFirst(node.cards), choice };
    const name = nodeName(pool, machine);
    const cards = Array.from({ length: pool.gpusEach }, (_, index): FleetCard => ({
      node: name,
      index,
      known: false,
      slices: [],
    }));
    return { name, cards, choice };
  });
}

function leastCutFirst(cards: readonly FleetCard[]): readonly FleetCard[] {
  return [...cards].sort((a, b) => a.slices.length - b.slices.length || a.index - b.index);
}

/** The single cards with what each becomes; those of a uniform machine are kept for the machine's own choice. */
function cutCards(
  singles: ReadonlyMap<number | undefined, readonly FleetCard[]>,
  choices: readonly CardChoice[],
  counts: readonly number[],
): readonly { card: FleetCard; choice: CardChoice }[] {
  return [...singles].flatMap(([only, cards]) => {
    const ways = expand(
      choices,
      counts.map((count, index) => (only === undefined || only === index ? count : 0)),
    );
    return cardsFor(cards, ways);
  });
}

/** Rented machines are `<machineType>-1`, `-2`, …, passing over names that the user's own machines have. */
function namesOfRented(pools: readonly SupplyPool[]): (pool: SupplyPool, machine: number) => string {
  const own = new Set(pools.flatMap(({ nodes }) => nodes.map(({ name }) => name)));
  return (pool, machine) => {
    const name = `${pool.machineType ?? pool.name}-${machine + 1}`;
    return own.has(name) ? `rented-${name}` : name;
  };
}

/** Services in use, each class handing out the names of its replicas as they are seated. */
function servicesTaken(
  classes: readonly PlanClass[],
  solution: FleetSolution,
): readonly {
  needClass: { gpus: number; nextReplicas: (count: number) => readonly string[] };
  service: PlanClass['services'][number];
  slices: number;
}[] {
  return classes.flatMap((needClass, classIndex) => {
    const names = replicaNames(needClass, solution.leftOut[classIndex] ?? 0);
    const handOut = {
      gpus: needClass.gpus,
      nextReplicas: (count: number): readonly string[] =>
        names.splice(Math.max(0, names.length - count), count).reverse(),
    };
    return needClass.services.map((service, index) => {
      return { needClass: handOut, service, slices: solution.slices[classIndex]?.[index] ?? 0 };
    });
  });
}

/** One entry a replica, last first, so that taking from the end hands them out in order; the last ones stay out. */
function replicaNames({ members, count }: PlanClass, leftOut: number): string[] {
  return members
    .flatMap(({ need, count: replicas }) => Array<string>(replicas).fill(need))
    .slice(0, count - leftOut)
    .reverse();
}

function inFleetOrder(pools: readonly SupplyPool[], cards: readonly ArrangedCard[]): readonly ArrangedCard[] {
  const order = new Map<string, number>();
  for (const { node } of pools.flatMap(({ nodes }) => nodes.flatMap((one) => one.cards)))
    if (!order.has(node)) order.set(node, order.size);
  for (const { card } of cards) if (!order.has(card.node)) order.set(card.node, order.size);
  const placeOf = ({ node }: FleetCard): number => order.get(node) ?? 0;
  return [...cards].sort((a, b) => placeOf(a.card) - placeOf(b.card) || a.card.index - b.card.index);
}
