/** Solves the fleet question exactly: what must stay out first, then money or cards, then cards at that money. */
import { mustBeOptimal, type OptimalSolution, type Solution, type Solve } from '../linear-program.js';
import { choicesOf, type PoolChoices } from './choices.js';
import { priceProof, type PriceProof } from './price-proof.js';
import { fleetProgram, type FleetProgram, type ProgramOptions } from './program.js';
import type { FleetProblem, Objective } from './problem.js';

/** How many machines, cards and slices of each choice; indexes as in the problem and in `choices`. */
export interface FleetSolution {
  readonly choices: readonly PoolChoices[];
  readonly machines: readonly (readonly number[])[];
  readonly cards: readonly (readonly number[])[];
  /** Slices per (class, service). */
  readonly slices: readonly (readonly number[])[];
  /** Replicas without a place, per class. */
  readonly leftOut: readonly number[];
  /** Value under the objective that was minimised. */
  readonly value: number;
  readonly proof: PriceProof;
}

export interface SolveFleetOptions {
  readonly objective: Exclude<Objective, 'unplaced'>;
  /** For the second objective (fewest cards at the least money); a time-out keeps the first answer. Default 5000. */
  readonly tieBreakTimeLimitMs?: number;
}

/** Throws MicaError `solver-failed`. Needs that fit nowhere belong left out of the problem: they have no services. */
export function solveFleet(problem: FleetProblem, solve: Solve, options: SolveFleetOptions): FleetSolution {
  const choices = choicesOf(problem);
  const ask = (programOptions: ProgramOptions): { built: FleetProgram; solution: Solution } => {
    const built = fleetProgram(problem, choices, programOptions);
    return { built, solution: solve(built.program) };
  };
  const { objective } = options;
  const relaxed = ask({ objective, integer: false });
  const whole = relaxed.solution.status === 'optimal' ? ask({ objective, integer: true }) : relaxed;
  if (whole.solution.status === 'infeasible') return solveWithRest(problem, choices, solve, options);
  const first = mustBeOptimal(whole.solution, 'fleet program');
  const proof = priceProof(
    problem,
    choices,
    objective,
    duals(relaxed.built, mustBeOptimal(relaxed.solution, 'fleet program')),
  );
  const best = fewerCards(problem, choices, solve, options, first, whole.built);
  return read(problem, choices, best.built, best.values, { value: roundedObjective(first.objective), proof });
}

/** Not everything fits: what stays out is decided priority by priority, and what is placed costs the least after that. */
function solveWithRest(
  problem: FleetProblem,
  choices: readonly PoolChoices[],
  solve: Solve,
  options: SolveFleetOptions,
): FleetSolution {
  const relaxed = fleetProgram(problem, choices, { objective: 'unplaced', integer: false });
  const proof = priceProof(
    problem,
    choices,
    'unplaced',
    duals(relaxed, mustBeOptimal(solve(relaxed.program), 'fleet program')),
  );
  const leftOut = leastLeftOut(problem, choices, solve);
  const rest = fleetProgram(problem, choices, { objective: options.objective, integer: true, leftOut });
  const first = mustBeOptimal(solve(rest.program), 'fleet program');
  const best = fewerCards(problem, choices, solve, options, first, rest, leftOut);
  const value = problem.classes.reduce((sum, { weight }, index) => sum + weight * (leftOut[index] ?? 0), 0);
  return {
    ...read(problem, choices, best.built, best.values, { value: roundedObjective(value), proof }),
    leftOut,
  };
}

/** Replicas that stay out per class: the least weight of the highest priority, then of the next one at that. */
function leastLeftOut(
  problem: FleetProblem,
  choices: readonly PoolChoices[],
  solve: Solve,
): readonly number[] {
  const priorities = [...new Set(problem.classes.map(({ priority = 0 }) => priority))].sort((a, b) => b - a);
  const lostAbove = new Map<number, number>();
  let leftOut: readonly number[] = [];
  for (const priority of priorities) {
    const rank = { priority, lostAbove };
    const { program, leftOutColumns } = fleetProgram(problem, choices, {
      objective: 'unplaced',
      integer: true,
      rank,
    });
    const { values, objective } = mustBeOptimal(solve(program), 'fleet program');
    leftOut = leftOutColumns.map((column) => Math.round(values[column] ?? 0));
    lostAbove.set(priority, roundedObjective(objective) + 1e-6);
  }
  return leftOut;
}

/** Owned machines may cost nothing, so that the least money says little: then the fewest cards at that money. */
function fewerCards(
  problem: FleetProblem,
  choices: readonly PoolChoices[],
  solve: Solve,
  options: SolveFleetOptions,
  first: OptimalSolution,
  built: FleetProgram,
  leftOut: readonly number[] = [],
): { built: FleetProgram; values: readonly number[] } {
  const isFree = problem.pools.some((pool) => (pool.usdPerHour ?? 0) === 0);
  if (options.objective !== 'usdPerHour' || !isFree) return { built, values: first.values };
  const atMost = { objective: 'usdPerHour', value: first.objective + 1e-6 } as const;
  const second = fleetProgram(problem, choices, { objective: 'gpus', integer: true, leftOut, atMost });
  const solution = solve(second.program, { timeLimitMs: options.tieBreakTimeLimitMs ?? 5000 });
  return solution.status === 'optimal'
    ? { built: second, values: solution.values }
    : { built, values: first.values };
}

function read(
  problem: FleetProblem,
  choices: readonly PoolChoices[],
  built: FleetProgram,
  values: readonly number[],
  rest: Pick<FleetSolution, 'value' | 'proof'>,
): FleetSolution {
  const at = (columns: readonly (readonly number[])[]): readonly (readonly number[])[] =>
    columns.map((row) => row.map((column) => Math.round(values[column] ?? 0)));
  return {
    choices,
    machines: at(built.machineColumns),
    cards: at(built.cardColumns),
    slices: at(built.serviceColumns),
    leftOut: problem.classes.map(() => 0),
    ...rest,
  };
}

function duals(built: FleetProgram, solution: OptimalSolution): readonly number[] {
  return built.classRows.map((row) => Math.max(0, solution.duals?.[row] ?? 0));
}

/** Solvers return 7.0000000000000036 for 7. */
function roundedObjective(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
