/** The largest figure per stretch of time, at a bounded size: stretches double when there would be too many. */

/** Stretch `i` begins at `startMs + i * stepMs`; `null`: no sample in it. */
export interface Timeline {
  readonly startMs: number;
  readonly stepMs: number;
  readonly max: readonly (number | null)[];
}

const shortestStepMs = 60_000;

/** Few enough to draw, many enough to see an hour in two weeks. */
const mostStretches = 512;

/** The shortest step, a minute doubled as often as it takes, with which the window has few enough stretches. */
export function timelineStepMs(startMs: number, endMs: number): number {
  let stepMs = shortestStepMs;
  while (Math.floor(endMs / stepMs) - Math.floor(startMs / stepMs) >= mostStretches) stepMs *= 2;
  return stepMs;
}

/** Takes samples in any order. Stretches begin at multiples of the step since 1970, so that two timelines can be merged. */
export class TimelineBuilder {
  #stepMs: number;
  #stretches = new Map<number, number>();
  #first = Infinity;
  #last = -Infinity;
  /** The stretch of the sample before, since the next one most often falls into it and is no larger. */
  #recent = NaN;
  #recentMax = Infinity;

  /** `stepMs`: a minute, or a minute doubled some times where that many stretches would be too many to keep. */
  constructor(stepMs = shortestStepMs) {
    this.#stepMs = stepMs;
  }

  add(timeMs: number, value: number): void {
    let key = Math.floor(timeMs / this.#stepMs);
    if (key === this.#recent && value <= this.#recentMax) return;
    while (Math.max(this.#last, key) - Math.min(this.#first, key) >= mostStretches) {
      this.#double();
      key = Math.floor(timeMs / this.#stepMs);
    }
    this.#first = Math.min(this.#first, key);
    this.#last = Math.max(this.#last, key);
    const seen = this.#stretches.get(key);
    if (seen === undefined || value > seen) this.#stretches.set(key, value);
    this.#recent = key;
    this.#recentMax = seen === undefined ? value : Math.max(seen, value);
  }

  /** The largest of both; stretches become as long as the longer ones of the two. */
  merge({ startMs, stepMs, max }: Timeline): void {
    while (this.#stepMs < stepMs) this.#double();
    for (const [index, value] of max.entries()) if (value !== null) this.add(startMs + index * stepMs, value);
  }

  finish(): Timeline {
    if (this.#stretches.size === 0) return { startMs: 0, stepMs: this.#stepMs, max: [] };
    const max = Array.from(
      { length: this.#last - this.#first + 1 },
      (_, index) => this.#stretches.get(this.#first + index) ?? null,
    );
    return { startMs: this.#first * this.#stepMs, stepMs: this.#stepMs, max };
  }

  #double(): void {
    this.#stepMs *= 2;
    this.#recent = NaN;
    const halves = this.#stretches;
    this.#stretches = new Map();
    for (const [key, value] of halves) {
      const joined = Math.floor(key / 2);
      this.#stretches.set(joined, Math.max(this.#stretches.get(joined) ?? -Infinity, value));
    }
    this.#first = Math.floor(this.#first / 2);
    this.#last = Math.floor(this.#last / 2);
  }
}
