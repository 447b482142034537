/** The figures of many samples of one quantity. */
export interface Stats {
  readonly samples: number;
  readonly mean: number;
  /** Percentiles interpolate linearly between the two nearest samples, as Prometheus does. */
  readonly p50: number;
  readonly p75: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  /**
   * The samples from the 95th percentile up, ascending: how rare a peak is. `null`: the server made these figures and
   * did not send samples, because the peak lies close to the 99th percentile.
   */
  readonly top: readonly number[] | null;
}

/** `quantile([1, 2, 3, 4], 0.5)` is 2.5. `sorted`: ascending, at least one. */
export function quantile(sorted: ArrayLike<number>, fraction: number): number {
  const rank = fraction * (sorted.length - 1);
  const below = Math.floor(rank);
  const [low = NaN, high = low] = [sorted[below], sorted[Math.min(below + 1, sorted.length - 1)]];
  const weight = rank - below;
  return low * (1 - weight) + high * weight;
}

/** `sorted`: ascending; `null` where there is none. */
export function statsOf(sorted: ArrayLike<number>): Stats | null {
  const samples = sorted.length;
  if (samples === 0) return null;
  let sum = 0;
  for (let index = 0; index < samples; index += 1) sum += sorted[index] ?? 0;
  return {
    samples,
    mean: sum / samples,
    p50: quantile(sorted, 0.5),
    p75: quantile(sorted, 0.75),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: sorted[samples - 1] ?? NaN,
    top: topOf(sorted),
  };
}

function topOf(sorted: ArrayLike<number>): readonly number[] {
  const first = Math.floor(0.95 * (sorted.length - 1));
  return Array.from({ length: sorted.length - first }, (_, index) => sorted[first + index] ?? NaN);
}
