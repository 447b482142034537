/**
 * The order of a rearrangement: every move goes to a place that is free at that moment, so that a workload can start
 * there before it stops here. Circles are broken by parking an instance in a spare place for a while; in a fleet too
 * full for that, by stopping one.
 */
import { overlaps } from '#core/geometry/mask';
import type { FleetIndex, FleetPlace } from '../online/fleet.js';
import type { Move } from '../online/move.js';
import type { GpuSlot } from '../online/place.js';
import type { StateTable } from '../online/state-table.js';
import type { Rearrangement } from './realise.js';

/** What is done next. Between its `stop` and its `start` an instance stands nowhere: its workload is interrupted. */
export type CompactionStep =
  | ({ readonly kind: 'move' } & Move)
  | { readonly kind: 'stop'; readonly profile: string; readonly from: FleetPlace }
  /** `from`: where it was stopped. */
  | ({ readonly kind: 'start' } & Move);

export interface Ordered {
  /** To be done one after the other; steps that touch no GPU in common may overlap. */
  readonly steps: readonly CompactionStep[];
  /** Moves that only park an instance: it moves a second time later. */
  readonly detours: number;
  /** Instances that have to stop for a while, since no way around was found. */
  readonly interrupted: number;
}

export function orderMoves(fleet: FleetIndex, { leaving, destinations }: Rearrangement): Ordered {
  const board = createBoard(fleet, leaving, destinations);
  let detours = 0;
  let interrupted = 0;
  for (;;) {
    moveWhatCan(board);
    if (park(board)) detours += 1;
    else if (stop(board)) interrupted += 1;
    else return { steps: board.steps, detours, interrupted };
  }
}

/** An instance that has to go; `stopped`: it stands nowhere now. */
interface Leaver extends GpuSlot {
  readonly stopped?: true;
}

/** Where everything stands while steps are planned. Lists are per profile index. */
interface Board {
  readonly table: StateTable;
  readonly steps: CompactionStep[];
  /** The state of each GPU after the steps so far. */
  readonly stateOf: Int32Array;
  /** Destinations that are free, and instances that may take them: first those that stand in another one's way. */
  readonly ready: readonly GpuSlot[][];
  readonly inTheWay: readonly GpuSlot[][];
  readonly others: readonly Leaver[][];
  /** Destinations that are not free yet, per GPU. */
  readonly waiting: Map<number, readonly GpuSlot[]>;
  /** Units per GPU that a destination will need: no parking there. */
  readonly reserved: Int32Array;
  /** Where the search for a parking place goes on. */
  nextParkingGpu: number;
}

function createBoard(
  fleet: FleetIndex,
  leaving: readonly GpuSlot[],
  destinations: readonly GpuSlot[],
): Board {
  const { table } = fleet;
  const perProfile = (): GpuSlot[][] => table.space.profiles.map(() => []);
  const board: Board = {
    table,
    steps: [],
    stateOf: Int32Array.from(fleet.stateOf),
    ready: perProfile(),
    inTheWay: perProfile(),
    others: perProfile(),
    waiting: new Map(),
    reserved: new Int32Array(fleet.gpus),
    nextParkingGpu: 0,
  };
  for (const destination of asManyAs(board, leaving, destinations)) {
    const { gpu, slot } = destination;
    board.reserved[gpu]! |= table.space.slots[slot]!.mask;
    if (isFree(board, destination)) board.ready[profileOf(board, destination)]!.push(destination);
    else queue(board, destination);
  }
  for (const source of leaving) {
    (standsInTheWay(board, source) ? board.inTheWay : board.others)[profileOf(board, source)]!.push(source);
  }
  return board;
}

/** Destinations for exactly those who leave; where there is a choice, ones that are free already. */
function asManyAs(
  board: Board,
  leaving: readonly GpuSlot[],
  destinations: readonly GpuSlot[],
): readonly GpuSlot[] {
  const wanted = board.table.space.profiles.map(() => 0);
  for (const source of leaving) wanted[profileOf(board, source)]! += 1;
  const freeFirst = [
    ...destinations.filter((destination) => isFree(board, destination)),
    ...destinations.filter((destination) => !isFree(board, destination)),
  ];
  return freeFirst.filter((destination) => wanted[profileOf(board, destination)]!-- > 0);
}

function moveWhatCan(board: Board): void {
  for (let moved = true; moved;) {
    moved = false;
    for (const [profile, ready] of board.ready.entries()) {
      for (let destination = ready.at(-1); destination !== undefined; destination = ready.at(-1)) {
        // What came to this GPU meanwhile may have used up a cap that both need.
        if (!isFree(board, destination)) {
          queue(board, ready.pop()!);
          continue;
        }
        const source = board.inTheWay[profile]!.pop() ?? board.others[profile]!.pop();
        if (source === undefined) break;
        ready.pop();
        board.reserved[destination.gpu]! &= ~board.table.space.slots[destination.slot]!.mask;
        carryOut(board, source, destination);
        moved = true;
      }
    }
  }
}

/** Parks an instance that stands in the way and has somewhere to go; false: there is none. */
function park(board: Board): boolean {
  for (const profile of blockersToRemove(board)) {
    const parking = findParking(board, profile);
    if (parking === undefined) continue;
    carryOut(board, board.inTheWay[profile]!.pop()!, parking);
    board.others[profile]!.push(parking);
    return true;
  }
  return false;
}

/** Stops an instance that stands in the way; false: none does, so everything has its place. */
function stop(board: Board): boolean {
  const [profile] = blockersToRemove(board);
  if (profile === undefined) return false;
  const source = board.inTheWay[profile]!.pop()!;
  const { profile: name, from } = moveOf(board, source, source);
  board.steps.push({ kind: 'stop', profile: name, from });
  leave(board, source);
  board.others[profile]!.push({ ...source, stopped: true });
  return true;
}

/** Profiles whose next instance stands in the way: first where its leaving frees a destination at once, then small ones. */
function blockersToRemove(board: Board): readonly number[] {
  const smallFirst = [...board.inTheWay.keys()]
    .reverse()
    .filter((profile) => board.inTheWay[profile]!.length > 0);
  const freesSomething = (profile: number): boolean => {
    const { gpu, slot } = board.inTheWay[profile]!.at(-1)!;
    const { afterTaking, afterFreeing, space } = board.table;
    const left = afterFreeing[board.stateOf[gpu]! * space.slots.length + slot]!;
    return (board.waiting.get(gpu) ?? []).some(
      (destination) => afterTaking[left * space.slots.length + destination.slot]! >= 0,
    );
  };
  return [...smallFirst.filter(freesSomething), ...smallFirst.filter((profile) => !freesSomething(profile))];
}

function findParking(board: Board, profile: number): GpuSlot | undefined {
  const { space } = board.table;
  const gpus = board.stateOf.length;
  for (let step = 0; step < gpus; step += 1) {
    const gpu = (board.nextParkingGpu + step) % gpus;
    const reserved = board.reserved[gpu]!;
    // Caps may make a destination illegal beside a parked instance although they do not overlap.
    if (space.hasBudgets && reserved !== 0) continue;
    for (const { index, mask } of space.slotsOfProfile[profile]!) {
      if (overlaps(mask, reserved) || !isFree(board, { gpu, slot: index })) continue;
      board.nextParkingGpu = gpu;
      return { gpu, slot: index };
    }
  }
  return undefined;
}

function carryOut(board: Board, source: Leaver, to: GpuSlot): void {
  const { afterTaking, space } = board.table;
  board.stateOf[to.gpu] = afterTaking[board.stateOf[to.gpu]! * space.slots.length + to.slot]!;
  board.steps.push({ kind: source.stopped ? 'start' : 'move', ...moveOf(board, source, to) });
  if (!source.stopped) leave(board, source);
}

/** Frees a slot, and with it perhaps destinations on its GPU. */
function leave(board: Board, { gpu, slot }: GpuSlot): void {
  const { afterFreeing, space } = board.table;
  board.stateOf[gpu] = afterFreeing[board.stateOf[gpu]! * space.slots.length + slot]!;
  const waiting = board.waiting.get(gpu);
  if (waiting === undefined) return;
  board.waiting.set(
    gpu,
    waiting.filter((destination) => !isFree(board, destination)),
  );
  for (const destination of waiting) {
    if (isFree(board, destination)) board.ready[profileOf(board, destination)]!.push(destination);
  }
}

function queue({ waiting }: Board, destination: GpuSlot): void {
  waiting.set(destination.gpu, [...(waiting.get(destination.gpu) ?? []), destination]);
}

function isFree({ table, stateOf }: Board, { gpu, slot }: GpuSlot): boolean {
  return table.afterTaking[stateOf[gpu]! * table.space.slots.length + slot]! >= 0;
}

/** With caps and engine budgets, whatever leaves a GPU may be in the way of whatever comes. */
function standsInTheWay({ table, waiting, reserved }: Board, { gpu, slot }: GpuSlot): boolean {
  const { slots, hasBudgets } = table.space;
  if (hasBudgets) return reserved[gpu] !== 0;
  return (waiting.get(gpu) ?? []).some((destination) =>
    overlaps(slots[destination.slot]!.mask, slots[slot]!.mask),
  );
}

function profileOf({ table }: Board, { slot }: GpuSlot): number {
  return table.space.slots[slot]!.profileIndex;
}

function moveOf({ table }: Board, from: GpuSlot, to: GpuSlot): Move {
  const { slots, profiles } = table.space;
  const placeOf = ({ gpu, slot }: GpuSlot): FleetPlace => ({ gpu, start: slots[slot]!.start });
  return { profile: profiles[slots[from.slot]!.profileIndex]!.name, from: placeOf(from), to: placeOf(to) };
}
