/** Builds what the npm package holds: all of dist/ afresh, with type declarations for the library doors. */
import { buildForPackage } from './build.mjs';
import { runStep } from './step.mjs';

await runStep(buildForPackage);
