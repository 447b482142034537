/** Somebody who solves linear and integer programs exactly (gap 0). Synchronous once it is loaded. */
import type { Solve } from '#core/packing/linear-program';

export interface Solver {
  readonly solve: Solve;
}
