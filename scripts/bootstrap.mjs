/** First step of every npm script: makes a fresh clone ready, and costs a few milliseconds where it is ready. */
import { ensureInstalled } from './install.mjs';
import { runStep } from './step.mjs';

await runStep(ensureInstalled);
