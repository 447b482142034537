/** The HiGHS solver (WebAssembly, one thread) behind the `Solver` port. Loaded on demand: it takes a few tenths of a second. */
import highsModule, { type Highs } from 'highs';
import type { LinearProgram, Solution, SolveOptions } from '#core/packing/linear-program';
import type { Solver } from '#ports/solver';

// The package's types describe its CommonJS face; imported as a module, the default export is the loader itself.
const loadHighs = highsModule as unknown as (typeof highsModule)['default'];

/** Loads HiGHS once per call. Programs are solved to a gap of 0: its default of 1e-4 wastes a card in 10,000. */
export async function loadSolver(): Promise<Solver> {
  const highs = await loadHighs();
  return { solve: (program, options) => solveWith(highs, program, options) };
}

function solveWith(highs: Highs, program: LinearProgram, options: SolveOptions = {}): Solution {
  const isInteger = program.columns.some((column) => column.integer === true);
  if (program.columns.length === 0)
    return { status: 'optimal', objective: 0, values: [], duals: program.rows.map(() => 0) };
  try {
    const model = highs.createModel(modelOf(highs, program));
    try {
      model.options.set({ output_flag: false, mip_rel_gap: 0, mip_abs_gap: absoluteGap(program) });
      if (options.timeLimitMs !== undefined) model.options.set('time_limit', options.timeLimitMs / 1000);
      model.run();
      const status = model.getModelStatus();
      const { modelStatus } = highs.constants;
      if (status === modelStatus.infeasible) return { status: 'infeasible' };
      if (status === modelStatus.unbounded || status === modelStatus.unboundedOrInfeasible)
        return { status: 'unbounded' };
      if (status !== modelStatus.optimal) {
        return { status: 'unsolved', message: `HiGHS stopped with model status ${String(status)}` };
      }
      const { colValue, rowDual } = model.getSolution();
      const objective = model.getObjectiveValue();
      const values = Array.from(colValue);
      return { status: 'optimal', objective, values, ...(isInteger ? {} : { duals: Array.from(rowDual) }) };
    } finally {
      model.dispose();
    }
  } catch (error) {
    return { status: 'unsolved', message: error instanceof Error ? error.message : String(error) };
  }
}

/** Zero, or just under the step between two possible costs, which is as exact and sooner reached. */
function absoluteGap({ costUnit = 0 }: LinearProgram): number {
  return costUnit * (1 - 1e-4);
}

/** The program as compressed sparse rows. */
function modelOf(highs: Highs, { columns, rows }: LinearProgram): Parameters<Highs['createModel']>[0] {
  const size = rows.reduce((sum, row) => sum + row.terms.length, 0);
  const starts = new Int32Array(rows.length + 1);
  const indices = new Int32Array(size);
  const values = new Float64Array(size);
  let next = 0;
  for (const [rowIndex, row] of rows.entries()) {
    for (const { column, coefficient } of row.terms) {
      if (coefficient === 0) continue;
      indices[next] = column;
      values[next] = coefficient;
      next += 1;
    }
    starts[rowIndex + 1] = next;
  }
  const { variableType } = highs.constants;
  return {
    numCols: columns.length,
    numRows: rows.length,
    colCost: columns.map((column) => column.cost),
    colLower: columns.map((column) => column.lower ?? 0),
    colUpper: columns.map((column) => column.upper ?? highs.infinity),
    rowLower: rows.map((row) => row.lower ?? -highs.infinity),
    rowUpper: rows.map((row) => row.upper ?? highs.infinity),
    matrix: {
      format: 'csr',
      numRows: rows.length,
      numCols: columns.length,
      starts,
      indices: indices.subarray(0, next),
      values: values.subarray(0, next),
    },
    integrality: columns.map((column) =>
      column.integer === true ? variableType.integer : variableType.continuous,
    ),
  };
}
