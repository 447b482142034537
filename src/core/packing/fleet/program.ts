/** The fleet question as an integer program: machines, cards and slices counted per pool, never one by one. */
import type { Column, LinearProgram, Row } from '../linear-program.js';
import type { PoolChoices } from './choices.js';
import {
  costsOf,
  costUnitOf,
  type FleetProblem,
  type NeedClass,
  type Objective,
  type Service,
} from './problem.js';

/** The program, and where to find what in its solution. */
export interface FleetProgram {
  readonly program: LinearProgram;
  /** Column of each (pool, machine choice): machines divided that way. */
  readonly machineColumns: readonly (readonly number[])[];
  /** Column of each (pool, card choice): cards cut that way. */
  readonly cardColumns: readonly (readonly number[])[];
  /** Column of each (class, service): slices used for it. */
  readonly serviceColumns: readonly (readonly number[])[];
  /** Column of each class: replicas left out; only under the objective `unplaced`, or with `leftOut` given. */
  readonly leftOutColumns: readonly number[];
  /** Row of each class; its dual is what one replica is worth. */
  readonly classRows: readonly number[];
}

export interface ProgramOptions {
  readonly objective: Objective;
  readonly integer: boolean;
  /** Under `unplaced`: classes of this priority count, and higher ones leave out no more weight than they must. */
  readonly rank?: { readonly priority: number; readonly lostAbove: ReadonlyMap<number, number> };
  /** Replicas that stay unplaced, per class: what earlier `unplaced` programs found. */
  readonly leftOut?: readonly number[];
  /** At most this much of another objective. */
  readonly atMost?: { readonly objective: Objective; readonly value: number };
}

export function fleetProgram(
  problem: FleetProblem,
  choices: readonly PoolChoices[],
  options: ProgramOptions,
): FleetProgram {
  const { objective, integer, rank } = options;
  const columns: Column[] = [];
  const addColumn = (column: Column): number => columns.push(column) - 1;

  const machineColumns = problem.pools.map((pool, poolIndex) => {
    const { perMachine, perGpu } = costsOf(pool, objective);
    return (choices[poolIndex]?.machines ?? []).map(({ singles }, index) =>
      addColumn({
        name: `m${poolIndex}_${index}`,
        cost: perMachine + perGpu * (pool.gpusEach - singles),
        integer,
      }),
    );
  });
  const cardColumns = problem.pools.map((pool, poolIndex) => {
    const { perGpu } = costsOf(pool, objective);
    return (choices[poolIndex]?.cards ?? []).map((_, index) =>
      addColumn({ name: `c${poolIndex}_${index}`, cost: perGpu, integer }),
    );
  });
  const serviceColumns = problem.classes.map(({ services }, classIndex) =>
    services.map((_, index) => addColumn({ name: `s${classIndex}_${index}`, cost: 0, integer })),
  );
  const leftOutColumns =
    objective === 'unplaced'
      ? problem.classes.map(({ weight, count, priority = 0 }, index) => {
          const cost = rank === undefined || rank.priority === priority ? weight : 0;
          return addColumn({ name: `u${index}`, cost, upper: count, integer });
        })
      : [];

  const rows: Row[] = [];
  const addRow = (row: Row): number => rows.push(row) - 1;
  const classRows = problem.classes.map((needClass, classIndex) =>
    addRow({
      name: `class${classIndex}`,
      terms: [
        ...needClass.services.map(({ replicas }, index) =>
          term(serviceColumns[classIndex]?.[index], replicas),
        ),
        ...(leftOutColumns.length > 0 ? [term(leftOutColumns[classIndex], 1)] : []),
      ],
      lower: needClass.count - (options.leftOut?.[classIndex] ?? 0),
    }),
  );
  for (const [poolIndex, pool] of problem.pools.entries()) {
    const { cards = [], machines = [] } = choices[poolIndex] ?? {};
    const use = usesOf(problem.classes, serviceColumns, poolIndex);
    for (const [slot, users] of use.slices) {
      const offered = cards.map(({ counts }, index) =>
        term(cardColumns[poolIndex]?.[index], counts.get(slot) ?? 0),
      );
      addRow({
        name: `slices${poolIndex}_${slot}`,
        terms: [...offered, ...users.map((column) => term(column, -1))],
        lower: 0,
      });
    }
    for (const [size, users] of use.groups) {
      const offered = machines.map(({ groups }, index) =>
        term(machineColumns[poolIndex]?.[index], groups.get(size) ?? 0),
      );
      addRow({
        name: `groups${poolIndex}_${size}`,
        terms: [...offered, ...users.map((column) => term(column, -1))],
        lower: 0,
      });
    }
    for (const { name, cut, offering } of cardSupplies(pool.uniform, poolIndex, cards.length)) {
      const offered = machines.flatMap(({ singles, only }, index) =>
        offering === undefined || offering === only
          ? [term(machineColumns[poolIndex]?.[index], singles)]
          : [],
      );
      const taken = cut.map((index) => term(cardColumns[poolIndex]?.[index], -1));
      addRow({ name, terms: [...offered, ...taken], lower: 0 });
    }
    if (pool.machines !== null) {
      addRow({
        name: `machines${poolIndex}`,
        terms: (machineColumns[poolIndex] ?? []).map((column) => term(column, 1)),
        upper: pool.machines,
      });
    }
  }
  for (const [above, lost] of rank?.lostAbove ?? []) {
    const terms = problem.classes.flatMap(({ weight, priority = 0 }, index) =>
      priority === above ? [term(leftOutColumns[index], weight)] : [],
    );
    addRow({ name: `lost${above}`, terms, upper: lost });
  }
  if (options.atMost !== undefined) {
    const { objective: other, value } = options.atMost;
    const terms = problem.pools.flatMap((pool, poolIndex) => {
      const { perMachine, perGpu } = costsOf(pool, other);
      return [
        ...(choices[poolIndex]?.machines ?? []).map(({ singles }, index) =>
          term(machineColumns[poolIndex]?.[index], perMachine + perGpu * (pool.gpusEach - singles)),
        ),
        ...(cardColumns[poolIndex] ?? []).map((column) => term(column, perGpu)),
      ];
    });
    addRow({ name: `atMost_${other}`, terms, upper: value });
  }
  return {
    program: { columns, rows, costUnit: costUnitOf(problem.pools, objective) },
    machineColumns,
    cardColumns,
    serviceColumns,
    leftOutColumns,
    classRows,
  };
}

/** The cards of a pool's machines go to any card choice, or, in a uniform pool, to the one of their machine. */
function cardSupplies(
  uniform: boolean,
  pool: number,
  choices: number,
): readonly { name: string; cut: readonly number[]; offering: number | undefined }[] {
  const all = Array.from({ length: choices }, (_, index) => index);
  if (!uniform) return [{ name: `cards${pool}`, cut: all, offering: undefined }];
  return all.map((index) => ({ name: `cards${pool}_${index}`, cut: [index], offering: index }));
}

type Term = Row['terms'][number];

function term(column: number | undefined, coefficient: number): Term {
  if (column === undefined) throw new RangeError('the program has no such column');
  return { column, coefficient };
}

/** Which service columns draw on each kind of slice, and on each size of group, of one pool. */
function usesOf(
  classes: readonly NeedClass[],
  serviceColumns: readonly (readonly number[])[],
  pool: number,
): { slices: ReadonlyMap<string, readonly number[]>; groups: ReadonlyMap<number, readonly number[]> } {
  const slices = new Map<string, number[]>();
  const groups = new Map<number, number[]>();
  for (const [classIndex, { gpus, services }] of classes.entries()) {
    for (const [index, service] of services.entries() as IterableIterator<[number, Service]>) {
      const column = serviceColumns[classIndex]?.[index];
      if (service.pool !== pool || column === undefined) continue;
      if (gpus > 1) groups.set(gpus, [...(groups.get(gpus) ?? []), column]);
      else slices.set(service.slot, [...(slices.get(service.slot) ?? []), column]);
    }
  }
  return { slices, groups };
}
