/**
 * Which nodes are cut anew, and into what, as an integer program over kinds of nodes: whoever loses a slice gets one,
 * as many pending pods as can be get one, and of all ways the one that disturbs the fewest pods.
 */
import type { Column, LinearProgram, Row, Solve } from '#core/packing/linear-program';
import { mustBeOptimal } from '#core/packing/linear-program';
import { isSame, type Counts, type Cut } from './cuts.js';
import type { ClassedUnit, PodClass } from './pod-classes.js';

/** Nodes of one site with the same free slices and as many pods of each class. */
export interface Kind {
  readonly site: number;
  readonly units: readonly ClassedUnit[];
  readonly free: ReadonlyMap<string, number>;
  readonly held: ReadonlyMap<PodClass, number>;
  readonly isFrozen: boolean;
  /** What a node offers now. */
  readonly before: Counts;
}

export interface ProgramSite {
  readonly gpus: number;
  readonly cuts: readonly Cut[];
  /** Of each cut: GPUs that are cut as none is now. */
  readonly unusual: readonly number[];
  readonly rent: { readonly max: number; readonly cost: number } | null;
  /** What a node without pods saves: money, or its GPUs. */
  readonly worth: number;
}

export interface PlanProgram {
  readonly kinds: readonly Kind[];
  readonly sites: readonly ProgramSite[];
  readonly classes: readonly PodClass[];
}

export interface Decision {
  /** Nodes cut anew, per kind. */
  readonly recut: readonly number[];
  /** Cards or nodes, per site and cut. */
  readonly cuts: readonly (readonly number[])[];
  /** Machines rented, per site. */
  readonly rented: readonly number[];
  /** Nodes that are left empty for good, per site. */
  readonly emptied: readonly number[];
  /** Pods per class and site. */
  readonly seats: readonly ReadonlyMap<number, number>[];
}

/** Rather a node with no pods cut anew than one with pods, and rather a few GPUs of it than all. */
const perPod = 1000;
const perNode = 20;

type Goal = 'weight' | 'rent' | 'saving' | 'disturbance';

interface Built {
  readonly program: LinearProgram;
  readonly recut: readonly number[];
  readonly cuts: readonly (readonly number[])[];
  readonly rented: readonly (number | null)[];
  readonly emptied: readonly (number | null)[];
  readonly seats: readonly ReadonlyMap<number, number>[];
}

interface Limits {
  /** By priority: as much of a card as may stay out. Whose priority is not there, may all stay out. */
  readonly lost: ReadonlyMap<number, number>;
  readonly priority?: number;
  readonly rentAtMost?: number;
  readonly savingAtLeast?: number;
}

export interface DecideOptions {
  /** Moves pods also to leave nodes empty. */
  readonly save: boolean;
  readonly timeLimitMs: number;
}

/** `null`: pods that get another size do not all fit. Throws MicaError `solver-failed`. */
export function decide(question: PlanProgram, solve: Solve, options: DecideOptions): Decision | null {
  const { classes, sites } = question;
  const run: Run = (goal, limits) => {
    const built = build(question, goal, limits, options.save);
    return { built, solution: solve(built.program, { timeLimitMs: options.timeLimitMs }) };
  };
  const isRent = sites.some(({ rent }) => rent !== null);
  const nothingLost = new Map(classes.map(({ priority }) => [priority, 0]));
  const isAll = run('disturbance', { lost: nothingLost });
  if (isAll.solution.status === 'optimal' && !isRent && !options.save)
    return read(isAll.built, isAll.solution.values);
  const lost = isAll.solution.status === 'optimal' ? nothingLost : leastLost(classes, run);
  if (lost === null) return null;
  let limits: Limits = { lost };
  if (isRent) {
    const cheapest = mustBeOptimal(run('rent', limits).solution, 'plan of the cluster');
    limits = { ...limits, rentAtMost: cheapest.objective + 1e-6 };
  }
  if (options.save) {
    const saved = run('saving', limits).solution;
    if (saved.status === 'optimal') limits = { ...limits, savingAtLeast: -saved.objective - 1e-6 };
  }
  const last = run('disturbance', limits);
  return read(last.built, mustBeOptimal(last.solution, 'plan of the cluster').values);
}

type Run = (goal: Goal, limits: Limits) => { readonly built: Built; readonly solution: ReturnType<Solve> };

/** Of each priority in turn as little of a card as can be; no lower one is served at the cost of a higher one. */
function leastLost(classes: readonly PodClass[], run: Run): ReadonlyMap<number, number> | null {
  const lost = new Map<number, number>();
  for (const priority of [...new Set(classes.map((one) => one.priority))].sort((a, b) => b - a)) {
    const { solution } = run('weight', { lost, priority });
    if (solution.status === 'infeasible') return null;
    lost.set(priority, mustBeOptimal(solution, 'plan of the cluster').objective + 1e-6);
  }
  return lost;
}

function build({ kinds, sites, classes }: PlanProgram, goal: Goal, limits: Limits, save: boolean): Built {
  const columns: Column[] = [];
  const rows: Row[] = [];
  const add = (column: Column): number => columns.push({ integer: true, ...column }) - 1;
  const costFor = (of: Partial<Record<Goal, number>>): number => of[goal] ?? 0;

  const recut = kinds.map(({ units, held, isFrozen }, index) => {
    const pods = [...held.values()].reduce((sum, count) => sum + count, 0);
    const cost = costFor({ disturbance: perNode + perPod * pods });
    return add({ name: `r${index}`, cost, upper: isFrozen ? 0 : units.length });
  });
  const rented = sites.map(({ rent }, index) =>
    rent === null ? null : add({ name: `m${index}`, cost: costFor({ rent: rent.cost }), upper: rent.max }),
  );
  const cuts = sites.map(({ cuts: all, unusual }, site) =>
    all.map((_, index) =>
      add({ name: `c${site}_${index}`, cost: costFor({ disturbance: unusual[index] ?? 0 }) }),
    ),
  );
  const emptied = sites.map(({ worth, cuts: all }, site) =>
    all.length === 0 || !save ? null : add({ name: `e${site}`, cost: costFor({ saving: -worth }) }),
  );
  const leftOut = classes.map(({ pending, weight, priority }, index) => {
    const isServed = limits.lost.get(priority) === 0;
    const cost = costFor({ weight: priority === limits.priority ? weight : 0 });
    return add({ name: `u${index}`, cost, upper: isServed ? 0 : pending.length });
  });
  const seats = classes.map(
    ({ sites: mayGo }, index) =>
      new Map(mayGo.map((site) => [site, add({ name: `x${index}_${site}`, cost: 0 })])),
  );

  const kindsOf = sites.map((_, site) => kinds.flatMap((kind, index) => (kind.site === site ? [index] : [])));
  for (const [index, podClass] of classes.entries()) {
    const terms: Term[] = [...(seats[index]?.values() ?? [])].map((column) => term(column, 1));
    terms.push(term(leftOut[index], 1));
    for (const [kindIndex, { held }] of kinds.entries()) {
      const count = held.get(podClass);
      if (count !== undefined) terms.push(term(recut[kindIndex], -count));
    }
    const demand = podClass.pending.length + podClass.resizing.length;
    rows.push({ name: `class${index}`, terms, lower: demand, upper: demand });
  }
  for (const [site, { gpus, cuts: all, rent }] of sites.entries()) {
    const here = kindsOf[site] ?? [];
    const made: Term[] = [
      ...here.map((kind) => term(recut[kind], -gpus)),
      ...(rent === null ? [] : [term(rented[site] ?? undefined, -gpus)]),
    ];
    const used = all.map(({ unit }, index) => term(cuts[site]?.[index], unit === 'card' ? 1 : gpus));
    const empty = emptied[site] == null ? [] : [term(emptied[site], gpus)];
    if (all.length > 0) rows.push({ name: `gpus${site}`, terms: [...made, ...used, ...empty], upper: 0 });
    for (const [name, worthOf, users] of demandsAt(site, classes)) {
      const free = (kind: Kind): number => worthOf(kind.free);
      const there = here.reduce(
        (sum, kind) => sum + free(kinds[kind] as Kind) * (kinds[kind]?.units.length ?? 0),
        0,
      );
      const terms = [
        ...users.map(([index, each]) => term(seats[index]?.get(site), each)),
        ...here.flatMap((kind) => {
          const lost = free(kinds[kind] as Kind);
          return lost === 0 ? [] : [term(recut[kind], lost)];
        }),
        ...all.flatMap(({ counts, unit }, index) => {
          const gained = name.startsWith('groups') && unit === 'card' ? 0 : worthOf(counts);
          return gained === 0 ? [] : [term(cuts[site]?.[index], -gained)];
        }),
      ];
      rows.push({ name, terms, upper: there });
    }
  }
  for (const [site, { cuts: all }] of sites.entries()) {
    if (all.length === 0) continue;
    const total = add({ name: `t${site}`, cost: 0 });
    const dealt = all.map((_, index) => term(cuts[site]?.[index], 1));
    const empty = emptied[site] == null ? [] : [term(emptied[site], 1)];
    rows.push({ name: `dealt${site}`, terms: [term(total, -1), ...dealt, ...empty], lower: 0, upper: 0 });
    const isEachANode = all.every(({ unit }) => unit === 'node');
    const machines = isEachANode && rented[site] != null ? [term(rented[site], 1)] : [];
    for (const { name, before, alike } of changesAt(site, kinds, all)) {
      const same = all.flatMap((cut, index) =>
        before !== null && isSame(cut.ofNode, before) ? [term(cuts[site]?.[index], 1)] : [],
      );
      const changed = alike.map((kind) => term(recut[kind], 1));
      const others = before === null ? machines : [];
      rows.push({ name, terms: [...changed, ...others, ...same, term(total, -1)], upper: 0 });
    }
  }
  for (const [priority, most] of limits.lost) {
    if (most === 0) continue;
    const terms = classes.flatMap((one, index) =>
      one.priority === priority ? [term(leftOut[index], one.weight)] : [],
    );
    rows.push({ name: `lost${priority}`, terms, upper: most });
  }
  if (limits.rentAtMost !== undefined) {
    const terms = sites.flatMap(({ rent }, site) =>
      rent === null ? [] : [term(rented[site] ?? undefined, rent.cost)],
    );
    rows.push({ name: 'rent', terms, upper: limits.rentAtMost });
  }
  if (limits.savingAtLeast !== undefined) {
    const terms = sites.flatMap(({ worth }, site) =>
      emptied[site] == null ? [] : [term(emptied[site], worth)],
    );
    rows.push({ name: 'saving', terms, lower: limits.savingAtLeast });
  }
  return {
    program: { columns, rows, ...(goal === 'disturbance' ? { costUnit: 1 } : {}) },
    recut,
    cuts,
    rented,
    emptied,
    seats,
  };
}

/** What may run out at a site: slices of each size, and nodes with several of them at once. */
function demandsAt(
  site: number,
  classes: readonly PodClass[],
): readonly (readonly [
  string,
  (counts: ReadonlyMap<string, number>) => number,
  readonly (readonly [number, number])[],
])[] {
  const here = classes
    .map((one, index) => [one, index] as const)
    .filter(([{ sites }]) => sites.includes(site));
  const slots = [...new Set(here.map(([{ slot }]) => slot))];
  return slots.flatMap((slot) => {
    const users = here.filter(([one]) => one.slot === slot);
    const several = [...new Set(users.map(([{ count }]) => count))].filter((count) => count > 1);
    const all = users.map(([{ count }, index]) => [index, count] as const);
    return [
      [`slices${site}_${slot}`, (counts: ReadonlyMap<string, number>) => counts.get(slot) ?? 0, all] as const,
      ...several.map((size) => {
        const groups = users.filter(([{ count }]) => count === size).map(([, index]) => [index, 1] as const);
        const worth = (counts: ReadonlyMap<string, number>): number =>
          Math.floor((counts.get(slot) ?? 0) / size);
        return [`groups${site}_${slot}_${size}`, worth, groups] as const;
      }),
    ];
  });
}

/**
 * A node that is cut anew becomes something else: to throw pods off slices that stay is nothing that would last, since
 * they may well come back. As many cuts of other kinds as nodes of a kind are enough (Hall).
 */
function changesAt(
  site: number,
  kinds: readonly Kind[],
  cuts: readonly Cut[],
): readonly { readonly name: string; readonly before: Counts | null; readonly alike: readonly number[] }[] {
  const here = kinds.flatMap((kind, index) =>
    kind.site === site && !kind.isFrozen ? [{ kind, index }] : [],
  );
  const distinct = cuts
    .map(({ ofNode }) => ofNode)
    .filter((one, index, all) => all.findIndex((other) => isSame(one, other)) === index);
  const indexes = (of: typeof here): readonly number[] => of.map(({ index }) => index);
  const alikeTo = (before: Counts): typeof here => here.filter(({ kind }) => isSame(kind.before, before));
  return [
    { name: `any${site}`, before: null, alike: indexes(here) },
    ...distinct
      .map((before, index) => ({ name: `other${site}_${index}`, before, alike: indexes(alikeTo(before)) }))
      .filter(({ alike }) => alike.length > 0),
  ];
}

type Term = Row['terms'][number];

function term(column: number | null | undefined, coefficient: number): Term {
  if (column == null) throw new RangeError('the program has no such column');
  return { column, coefficient };
}

function read(built: Built, values: readonly number[]): Decision {
  const at = (column: number | null): number => (column === null ? 0 : Math.round(values[column] ?? 0));
  return {
    recut: built.recut.map(at),
    cuts: built.cuts.map((row) => row.map(at)),
    rented: built.rented.map(at),
    emptied: built.emptied.map(at),
    seats: built.seats.map((row) => new Map([...row].map(([site, column]) => [site, at(column)]))),
  };
}
