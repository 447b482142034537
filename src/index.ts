/** Mica as a library: `import { ... } from 'mica'`. */
export * from './core/index.js';
