/** What may become of one GPU: which instances it keeps, which it gives away, and what the room left can take in. */
import { patternsOf, type State } from '#core/geometry/states';
import type { StateTable } from '../online/state-table.js';

/** Free room on a GPU, known by what it can take in. GPUs with equal fills are interchangeable as destinations. */
export interface Room {
  readonly index: number;
  readonly fills: readonly Counts[];
}

/** Instances per profile index. */
export type Counts = readonly number[];

/** One choice for a GPU in a given state. */
export interface Option {
  /** The state of what stays. */
  readonly kept: number;
  readonly givenAway: Counts;
  readonly room: Room;
}

/** Answers for one space. Rooms are found as they come up, and keep their number. */
export interface Keeping {
  readonly rooms: readonly Room[];
  /** The room of a GPU that keeps nothing. */
  readonly emptyRoom: Room;
  /** The choices worth considering for a GPU in `state` of which `pinned`, a state within it, must stay. */
  readonly optionsFor: (state: number, pinned: number) => readonly Option[];
  /** Slots beside `kept` that hold a fill of its room. */
  readonly slotsFor: (kept: number, fill: Counts) => State['slots'];
}

export function keepingOf(table: StateTable): Keeping {
  const rooms: Room[] = [];
  const byFills = new Map<string, Room>();
  const roomOf = (patterns: readonly State[]): Room => {
    const fills = patterns.map((pattern) => pattern.counts);
    const key = fills
      .map((fill) => fill.join())
      .sort()
      .join(' ');
    let room = byFills.get(key);
    if (room === undefined) {
      room = { index: rooms.length, fills };
      rooms.push(room);
      byFills.set(key, room);
    }
    return room;
  };
  const byLeft = new Map<number, { room: Room; patterns: readonly State[] }>();
  const beside = (kept: number): { room: Room; patterns: readonly State[] } => {
    const state = table.states[kept]!;
    // Of plain profiles only the units that are taken matter for what can be added.
    const left = table.space.hasBudgets ? kept : state.mask;
    let found = byLeft.get(left);
    if (found === undefined) {
      const patterns = patternsOf(table.space, state.slots);
      byLeft.set(left, (found = { room: roomOf(patterns), patterns }));
    }
    return found;
  };
  const emptyRoom = beside(0).room;
  const takesInAllOf = coverage();
  return {
    rooms,
    emptyRoom,
    optionsFor: (state, pinned) => {
      const options = subStates(table, state, pinned).map((kept): Option => {
        const givenAway = difference(table.states[state]!.counts, table.states[kept]!.counts);
        return { kept, givenAway, room: beside(kept).room };
      });
      return withoutWorse(options, takesInAllOf);
    },
    slotsFor: (kept, fill) => {
      const key = fill.join();
      return beside(kept).patterns.find((pattern) => pattern.counts.join() === key)?.slots ?? [];
    },
  };
}

/** Every state between `pinned` and `state`, the state itself first. */
function subStates(table: StateTable, state: number, pinned: number): readonly number[] {
  const slotCount = table.space.slots.length;
  const staying = new Set(table.states[pinned]!.slots);
  let found = [state];
  for (const slot of table.states[state]!.slots) {
    if (staying.has(slot)) continue;
    found = found.flatMap((kept) => [kept, table.afterFreeing[kept * slotCount + slot.index]!]);
  }
  return found;
}

/** Of options that give the same away, only those whose room no other one matches. */
function withoutWorse(
  options: readonly Option[],
  takesInAllOf: (more: Room, less: Room) => boolean,
): readonly Option[] {
  const byGift = new Map<string, Option[]>();
  for (const option of options) {
    const gift = option.givenAway.join();
    const rivals = byGift.get(gift) ?? [];
    if (rivals.some((rival) => takesInAllOf(rival.room, option.room))) continue;
    byGift.set(gift, [...rivals.filter((rival) => !takesInAllOf(option.room, rival.room)), option]);
  }
  return [...byGift.values()].flat();
}

/** Whether one room can take in whatever another one can; remembered, since the same few rooms meet again and again. */
function coverage(): (more: Room, less: Room) => boolean {
  const known = new Map<string, boolean>();
  return (more, less) => {
    if (more === less) return true;
    const key = `${more.index} ${less.index}`;
    let covers = known.get(key);
    if (covers === undefined) {
      covers = less.fills.every((fill) => more.fills.some((larger) => isWithin(fill, larger)));
      known.set(key, covers);
    }
    return covers;
  };
}

function isWithin(fill: Counts, larger: Counts): boolean {
  return fill.every((count, index) => count <= larger[index]!);
}

function difference(all: Counts, part: Counts): Counts {
  return all.map((count, index) => count - part[index]!);
}
