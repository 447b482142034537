/**
 * Compaction as an integer program over kinds of GPUs, so that its size does not grow with the fleet: how many GPUs of
 * each kind take which option, and how many rooms take in which fill.
 */
import { mustBeOptimal, type Column, type LinearProgram, type Row, type Solve } from '../linear-program.js';
import type { Counts, Keeping, Option, Room } from './kept.js';

/** GPUs with equal choices: what they give away and the room that leaves. */
export interface Kind {
  readonly gpus: number;
  readonly options: readonly Pick<Option, 'givenAway' | 'room'>[];
}

export interface Decision {
  /** Per kind and option: GPUs that take it. */
  readonly taken: readonly (readonly number[])[];
  /** Per room: how many are filled with what. */
  readonly fills: readonly { readonly room: Room; readonly fill: Counts; readonly count: number }[];
  /** The optimum of the program without whole numbers: no plan has fewer moves. */
  readonly fewestMovesBound: number;
}

const what = 'compaction program';

/** The most GPUs that can be empty afterwards. */
export function mostEmpty(kinds: readonly Kind[], keeping: Keeping, profiles: number, solve: Solve): number {
  const { program } = buildProgram(kinds, keeping, profiles, { kind: 'most-empty' }, true);
  return -Math.round(mustBeOptimal(solve(program), what).objective);
}

/** The fewest moves that leave at least `empty` GPUs without instances. */
export function fewestMoves(
  kinds: readonly Kind[],
  keeping: Keeping,
  profiles: number,
  empty: number,
  solve: Solve,
): Decision {
  const goal = { kind: 'fewest-moves', empty } as const;
  const relaxed = buildProgram(kinds, keeping, profiles, goal, false);
  const bound = mustBeOptimal(solve(relaxed.program), what);
  // The relaxation is usually whole already.
  const isWhole = bound.values.every((value) => Math.abs(value - Math.round(value)) < 1e-6);
  const whole = isWhole
    ? bound
    : mustBeOptimal(
        solve(withWholeMoves(buildProgram(kinds, keeping, profiles, goal, true).program, bound.objective)),
        what,
      );
  const value = (column: number): number => Math.round(whole.values[column]!);
  return {
    taken: relaxed.optionColumns.map((columns) => columns.map(value)),
    fills: relaxed.fillColumns
      .map(({ room, fill, column }) => ({ room, fill, count: value(column) }))
      .filter(({ count }) => count > 0),
    fewestMovesBound: bound.objective,
  };
}

type Goal = { readonly kind: 'most-empty' } | { readonly kind: 'fewest-moves'; readonly empty: number };

interface Built {
  readonly program: LinearProgram;
  readonly optionColumns: readonly (readonly number[])[];
  readonly fillColumns: readonly { readonly room: Room; readonly fill: Counts; readonly column: number }[];
}

function buildProgram(
  kinds: readonly Kind[],
  keeping: Keeping,
  profiles: number,
  goal: Goal,
  integer: boolean,
): Built {
  const columns: Column[] = [];
  const addColumn = (name: string, cost: number, lower = 0): number =>
    columns.push({ name, cost: cost, lower, integer }) - 1;
  const { rooms, emptyRoom } = keeping;
  const roomTerms: { column: number; coefficient: number }[][] = rooms.map(() => []);
  const profileTerms: { column: number; coefficient: number }[][] = Array.from(
    { length: profiles },
    () => [],
  );

  const optionColumns = kinds.map(({ options }, kind) =>
    options.map(({ givenAway, room }, option) => {
      const moves = givenAway.reduce((sum, count) => sum + count, 0);
      const column = addColumn(`z${kind}_${option}`, goal.kind === 'fewest-moves' ? moves : 0);
      roomTerms[room.index]!.push({ column, coefficient: 1 });
      addCounts(profileTerms, column, givenAway, -1);
      return column;
    }),
  );
  const fillColumns = rooms.flatMap((room) => {
    if (roomTerms[room.index]!.length === 0) return [];
    return room.fills
      .filter((fill) => fill.some((count) => count > 0))
      .map((fill, index) => {
        const column = addColumn(`y${room.index}_${index}`, 0);
        roomTerms[room.index]!.push({ column, coefficient: -1 });
        addCounts(profileTerms, column, fill, 1);
        return { room, fill, column };
      });
  });
  const empty = goal.kind === 'most-empty' ? addColumn('empty', -1) : addColumn('empty', 0, goal.empty);
  roomTerms[emptyRoom.index]!.push({ column: empty, coefficient: -1 });

  const rows: Row[] = [
    ...kinds.map(({ gpus }, kind) => ({
      name: `kind${kind}`,
      terms: optionColumns[kind]!.map((column) => ({ column, coefficient: 1 })),
      lower: gpus,
      upper: gpus,
    })),
    ...roomTerms.map((terms, room) => ({ name: `room${room}`, terms, lower: 0 })),
    ...profileTerms.map((terms, profile) => ({ name: `profile${profile}`, terms, lower: 0 })),
  ];
  return {
    program: { columns, rows: rows.filter((row) => row.terms.length > 0) },
    optionColumns,
    fillColumns,
  };
}

/** Moves are whole, so the bound may be rounded up; told so, the search ends with the first plan that reaches it. */
function withWholeMoves({ columns, rows }: LinearProgram, bound: number): LinearProgram {
  const terms = columns.flatMap(({ cost }, column) => (cost === 0 ? [] : [{ column, coefficient: cost }]));
  return { columns, rows: [...rows, { name: 'moves', terms, lower: Math.ceil(bound - 1e-6) }] };
}

function addCounts(
  terms: { column: number; coefficient: number }[][],
  column: number,
  counts: Counts,
  sign: 1 | -1,
): void {
  for (const [profile, count] of counts.entries()) {
    if (count > 0) terms[profile]!.push({ column, coefficient: sign * count });
  }
}
