/** A linear or integer program as a plain value. Whoever solves it is passed in: core knows no solver. */
import { MicaError } from '#core/errors';

export interface Column {
  readonly name: string;
  readonly cost: number;
  /** Bounds; `upper` left out: unbounded. `lower` defaults to 0. */
  readonly lower?: number;
  readonly upper?: number;
  readonly integer?: boolean;
}

export interface Row {
  readonly name: string;
  readonly terms: readonly { readonly column: number; readonly coefficient: number }[];
  readonly lower?: number;
  readonly upper?: number;
}

/** Minimise the sum of cost x value over the columns, subject to the rows. */
export interface LinearProgram {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Every solution's cost is a multiple of this, so that a bound less than one unit away proves an optimum. */
  readonly costUnit?: number;
}

export type Solution =
  | {
      readonly status: 'optimal';
      readonly objective: number;
      /** By column index. */
      readonly values: readonly number[];
      /** By row index: what one unit more of the row's bound costs. Present only for programs without integers. */
      readonly duals?: readonly number[];
    }
  | { readonly status: 'infeasible' | 'unbounded' }
  /** Stopped at the time limit or failed; `message` says which. */
  | { readonly status: 'unsolved'; readonly message: string };

export interface SolveOptions {
  readonly timeLimitMs?: number;
}

/** Exact (gap 0), synchronous, and always answering with a value. */
export type Solve = (program: LinearProgram, options?: SolveOptions) => Solution;

export type OptimalSolution = Extract<Solution, { status: 'optimal' }>;

/** The solution of a program that must have one. Throws MicaError `solver-failed`, naming what was to be solved. */
export function mustBeOptimal(solution: Solution, what: string): OptimalSolution {
  if (solution.status === 'optimal') return solution;
  const reason = solution.status === 'unsolved' ? solution.message : `it is ${solution.status}`;
  throw new MicaError('solver-failed', `the ${what} was not solved: ${reason}`);
}

/** Sum of the products, index by index. */
export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
