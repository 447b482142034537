/** Mica as a library: `import { ... } from 'mica'`. The pure half, the emitters, and a solver to hand to `makePlan`. */
export * from './core/index.js';
export { emit, emitTargets, type EmitTarget } from '#engines/emit/emit';
export type { Emission, EmitOptions, EmittedFile } from '#engines/emit/emission';
export { loadSolver } from '#adapters/highs/solver';
