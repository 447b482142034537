/** Saying the same thing again and again: redrawn in place on a terminal, appended where it goes into a pipe or a file. */
import type { Clock } from '#ports/clock';
import { numberBetween } from '../../arguments.js';
import type { Screen } from '../../terminal/screen.js';

export interface Watch {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Ends the watch, asleep or awake. */
  readonly signal: AbortSignal;
}

/** `true`: without a time. */
export function everyMsOf(flag: string | true): number {
  return flag === true ? 2000 : numberBetween('--watch', flag, 0.1, 86_400) * 1000;
}

/** Shows, sleeps, shows again, until the signal comes; a frame that has begun is finished. */
export async function watching(
  { clock, everyMs, signal }: Watch,
  show: (at: string) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await show(new Date(clock.nowMs()).toISOString().replace(/\.\d+/, ''));
    await clock.sleep(everyMs, signal);
  }
}

/** One frame: over the last one on a terminal, after it and a blank line elsewhere. */
export function drawFrame({ isTerminal, write }: Screen, text: string): void {
  // Home; each line clears what is left of the one before it, the last one what is below: nothing flickers.
  if (isTerminal) write(`\u001b[H${text.replaceAll('\n', '\u001b[K\n')}\u001b[K\n\u001b[J`);
  else write(`${text}\n\n`);
}
