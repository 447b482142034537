/** The moment at which the workloads together need the most: pods come and go, and a fleet is sized for its peak. */

import { joinedSpans, type Span } from '../observe/spans.js';

/** When something ran, and how much it weighs all that time. */
export interface Run {
  readonly spans: readonly Span[];
  readonly weight: number;
}

/** The earliest moment of the greatest weight; `null`: nothing runs. */
export function busiestMs(runs: readonly Run[]): number | null {
  const events = runs.flatMap(({ spans, weight }) =>
    joinedSpans(spans, 0).flatMap(({ startMs, endMs }) => [
      { atMs: startMs, change: weight },
      { atMs: endMs, change: -weight },
    ]),
  );
  // Who ends at a moment still runs in it.
  events.sort((a, b) => a.atMs - b.atMs || b.change - a.change);
  let [now, most, busiest] = [0, -Infinity, null as number | null];
  for (const { atMs, change } of events) {
    now += change;
    if (now > most + 1e-9) [most, busiest] = [now, atMs];
  }
  return busiest;
}

export function runsAt(spans: readonly Span[], atMs: number): boolean {
  return spans.some(({ startMs, endMs }) => startMs <= atMs && atMs <= endMs);
}
