/** The moment at which the workloads together need the most: pods come and go, and a fleet is sized for its peak. */

/** What runs from its first to its last sample, and how much it weighs all that time. */
export interface Run {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly weight: number;
}

/** The earliest moment of the greatest weight; `null`: nothing runs. */
export function busiestMs(runs: readonly Run[]): number | null {
  const events = runs.flatMap(({ firstMs, lastMs, weight }) => [
    { atMs: firstMs, change: weight },
    { atMs: lastMs, change: -weight },
  ]);
  // Who ends at a moment still runs in it.
  events.sort((a, b) => a.atMs - b.atMs || b.change - a.change);
  let [now, most, busiest] = [0, -Infinity, null as number | null];
  for (const { atMs, change } of events) {
    now += change;
    if (now > most + 1e-9) [most, busiest] = [now, atMs];
  }
  return busiest;
}

export function runsAt({ firstMs, lastMs }: Omit<Run, 'weight'>, atMs: number): boolean {
  return firstMs <= atMs && atMs <= lastMs;
}
