/** When the samples of one series were taken: how regularly, with which gaps, and in which stretches of time. */
import type { Coverage } from './observation.js';
import { joinedSpans, type Span } from './spans.js';

export class TimeTrack {
  #samples = 0;
  #firstMs = Infinity;
  #lastMs = -Infinity;
  #previousMs = NaN;
  #backwards = 0;
  #atThisTime = 0;
  #mostAtOneTime = 0;
  /** How often each distance to the sample before occurred; rounded to the grain once there are many. */
  #distances = new Map<number, number>();
  #grainMs = 1;
  #largestMs = 0;
  #distanceMs = 0;
  #distanceCount = 0;
  #spans: Span[] = [];
  #spanStartMs = NaN;
  #splitMs = shortestSplitMs;

  get samples(): number {
    return this.#samples;
  }

  /** Most samples of one time: replicas that the source does not tell apart. */
  get mostAtOneTime(): number {
    return this.#mostAtOneTime;
  }

  see(timeMs: number): void {
    const distanceMs = timeMs - this.#previousMs;
    this.#samples += 1;
    if (distanceMs === 0) {
      this.#atThisTime += 1;
      if (this.#atThisTime > this.#mostAtOneTime) this.#mostAtOneTime = this.#atThisTime;
      return;
    }
    this.#atThisTime = 1;
    if (this.#mostAtOneTime === 0) this.#mostAtOneTime = 1;
    if (timeMs < this.#firstMs) this.#firstMs = timeMs;
    if (timeMs > this.#lastMs) this.#lastMs = timeMs;
    if (distanceMs > 0) this.#step(distanceMs, timeMs);
    else this.#begin(distanceMs, timeMs);
    this.#previousMs = timeMs;
  }

  /** `null`: no sample. */
  coverage(): Coverage | null {
    if (this.#samples === 0) return null;
    this.#settleDistance();
    const everyMs = weightedMedian(this.#distances);
    let missingMs = 0;
    for (const [distanceMs, count] of this.#distances) {
      if (everyMs !== null && isGap(distanceMs, everyMs)) missingMs += (distanceMs - everyMs) * count;
    }
    return {
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      everyMs,
      missingMs,
      largestGapMs: everyMs !== null && isGap(this.#largestMs, everyMs) ? this.#largestMs : 0,
      backwards: this.#backwards,
    };
  }

  /** In order and apart; interrupted only where samples are missing for long. */
  spans(): readonly Span[] {
    if (this.#samples === 0) return [];
    const all = [...this.#spans, { startMs: this.#spanStartMs, endMs: this.#previousMs }];
    return joinedSpans(all, Math.max(this.#splitMs, longGap * (this.coverage()?.everyMs ?? 0)));
  }

  #step(distanceMs: number, timeMs: number): void {
    if (distanceMs === this.#distanceMs) {
      this.#distanceCount += 1;
    } else {
      this.#settleDistance();
      this.#distanceMs = distanceMs;
      this.#distanceCount = 1;
      if (distanceMs > this.#largestMs) this.#largestMs = distanceMs;
    }
    if (distanceMs > this.#splitMs) this.#closeSpan(timeMs);
  }

  #begin(distanceMs: number, timeMs: number): void {
    if (distanceMs < 0) {
      this.#backwards += 1;
      this.#closeSpan(timeMs);
    } else {
      this.#spanStartMs = timeMs;
    }
  }

  #closeSpan(nextStartMs: number): void {
    this.#spans.push({ startMs: this.#spanStartMs, endMs: this.#previousMs });
    this.#spanStartMs = nextStartMs;
    while (this.#spans.length >= mostSpans) {
      this.#splitMs *= 2;
      this.#spans = joinedSpans(this.#spans, this.#splitMs);
    }
  }

  #settleDistance(): void {
    if (this.#distanceCount > 0) this.#count(this.#distanceMs, this.#distanceCount);
    this.#distanceCount = 0;
    while (this.#distances.size > mostDistances) {
      this.#grainMs *= 10;
      const finer = this.#distances;
      this.#distances = new Map();
      for (const [distanceMs, count] of finer) this.#count(distanceMs, count);
    }
  }

  #count(distanceMs: number, count: number): void {
    const rounded = Math.max(1, Math.round(distanceMs / this.#grainMs)) * this.#grainMs;
    this.#distances.set(rounded, (this.#distances.get(rounded) ?? 0) + count);
  }
}

/** Of several series: their times together, and what is missing in any. `null`: there is none. */
export function joinedCoverage(
  parts: readonly { readonly coverage: Coverage; readonly samples: number }[],
): Coverage | null {
  if (parts.length === 0) return null;
  const spacings = new Map<number, number>();
  for (const { coverage, samples } of parts) {
    const { everyMs } = coverage;
    if (everyMs !== null) spacings.set(everyMs, (spacings.get(everyMs) ?? 0) + samples);
  }
  const all = parts.map(({ coverage }) => coverage);
  return {
    firstMs: least(all.map(({ firstMs }) => firstMs)),
    lastMs: most(all.map(({ lastMs }) => lastMs)),
    everyMs: weightedMedian(spacings),
    missingMs: total(all.map(({ missingMs }) => missingMs)),
    largestGapMs: most(all.map(({ largestGapMs }) => largestGapMs)),
    backwards: total(all.map(({ backwards }) => backwards)),
  };
}

/** A scrape that comes late is no gap; one that is left out doubles the distance. */
function isGap(distanceMs: number, everyMs: number): boolean {
  return distanceMs > 1.5 * everyMs;
}

const shortestSplitMs = 10 * 60_000;
/** So many usual distances without a sample are an absence, not a scrape left out. */
const longGap = 3;
const mostSpans = 64;
const mostDistances = 64;

/** The lower of two middle ones. */
function weightedMedian(counts: ReadonlyMap<number, number>): number | null {
  const sorted = [...counts].sort(([a], [b]) => a - b);
  let left = total(sorted.map(([, count]) => count)) / 2;
  for (const [value, count] of sorted) {
    left -= count;
    if (left <= 0) return value;
  }
  return null;
}

function least(values: readonly number[]): number {
  return values.reduce((one, other) => Math.min(one, other), Infinity);
}

function most(values: readonly number[]): number {
  return values.reduce((one, other) => Math.max(one, other), -Infinity);
}

function total(values: readonly number[]): number {
  return values.reduce((one, other) => one + other, 0);
}
