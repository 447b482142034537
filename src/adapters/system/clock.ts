/** The clock of this machine. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#ports/clock';

/** Node's timers fire at once when they are told to wait for longer. */
const longestWaitMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (ms) => {
    let leftMs = ms;
    for (; leftMs > longestWaitMs; leftMs -= longestWaitMs) await wait(longestWaitMs);
    await wait(Math.max(0, leftMs));
  },
};
