/** The clock of this machine. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#ports/clock';

/** Node's timers fire at once when they are told to wait for longer. */
const longestWaitMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (ms, signal) => {
    let leftMs = ms;
    for (; leftMs > longestWaitMs; leftMs -= longestWaitMs) await waitUnless(signal, longestWaitMs);
    await waitUnless(signal, Math.max(0, leftMs));
  },
};

async function waitUnless(signal: AbortSignal | undefined, ms: number): Promise<void> {
  try {
    await wait(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}
