/** How long things may take on a machine where all goes well, with room. */

/** A lease whose holder is silent for longer is taken back. */
export const ttlMs = 30_000;
/** So that two may get lost. */
export function heartbeatEveryMs(ofTtlMs: number): number {
  return ofTtlMs / 3;
}
/** How often those who wait look: soon at first, rarely later. */
export const firstPollMs = 100;
export const slowestPollMs = 1_000;
/** How long a program may take to end when it is asked to. */
export const graceMs = 5_000;
/** How long the kernel may take to free what a killed process had on the GPU. */
export const killMs = 10_000;
/** How often it is looked whether something has ended. */
export const lookEveryMs = 50;
/** Nobody takes longer to look through what a dead holder left; whoever began it is gone then too. */
export const reclaimMs = 60_000;
