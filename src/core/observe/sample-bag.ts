/**
 * All samples of one quantity, exactly: the order is forgotten, no value is rounded. Millions of them are held in the
 * fewest bytes: whole numbers and short decimals in 32 bits each, anything else in 64.
 */
import { statsOf, type Stats } from './stats.js';

export class SampleBag {
  #chunks: Chunk[] = [];
  #chunk: Chunk = new Uint32Array(0);
  #used = 0;
  #samples = 0;
  /** What is stored is the value times this; 0: the value itself, as a double. */
  #scale: Scale = 1;
  #largest = 0;
  readonly #expected: number;

  /** `expected`: so many samples will come, as far as is known; room for them is made at once, and no more. */
  constructor(expected = 0) {
    this.#expected = expected;
  }

  get samples(): number {
    return this.#samples;
  }

  /** At least 0. */
  add(value: number): void {
    const stored = this.#stored(value);
    if (this.#used === this.#chunk.length) this.#grow();
    this.#chunk[this.#used] = stored;
    this.#used += 1;
    this.#samples += 1;
    if (value > this.#largest) this.#largest = value;
  }

  get largest(): number {
    return this.#largest;
  }

  /** Every value of the other, divided, and no more than the most. */
  addAll(other: SampleBag, divisor = 1, most = Infinity): void {
    for (const [chunk, used] of other.#parts()) {
      for (let index = 0; index < used; index += 1)
        this.add(Math.min(most, valueOf(chunk[index]!, other.#scale) / divisor));
    }
  }

  /** Over these values and those of the others. All of them are empty afterwards, so that the memory is free again. */
  finish(others: readonly SampleBag[] = []): Stats | null {
    const bags = [this, ...others].filter(({ samples }) => samples > 0);
    const scale = joinedScale(bags.map((bag) => ({ scale: bag.#scale, largest: bag.#largest })));
    const samples = bags.reduce((sum, bag) => sum + bag.samples, 0);
    const sorted = scale === 0 ? new Float64Array(samples) : new Uint32Array(samples);
    let filled = 0;
    for (const bag of bags) filled = bag.#moveTo(sorted, filled, scale);
    sorted.sort();
    const stats = statsOf(sorted);
    return stats === null || scale <= 1 ? stats : divided(stats, scale);
  }

  #stored(value: number): number {
    const scale = this.#scale;
    if (scale === 0) return value;
    const stored = scale === 1 ? value : Math.round(value * scale);
    if (stored >>> 0 === stored && stored / scale === value) return stored;
    this.#widen(value);
    return this.#stored(value);
  }

  *#parts(): Iterable<readonly [Chunk, number]> {
    for (const chunk of this.#chunks) yield [chunk, chunk.length];
    yield [this.#chunk, this.#used];
  }

  #grow(): void {
    if (this.#chunk.length > 0) this.#chunks.push(this.#chunk);
    // Most series of a cluster are short, and a few are very long.
    const wanted = this.#chunk.length === 0 ? this.#expected : 2 * this.#chunk.length;
    const length = Math.min(largestChunk, Math.max(smallestChunk, wanted));
    this.#chunk = this.#scale === 0 ? new Float64Array(length) : new Uint32Array(length);
    this.#used = 0;
  }

  /** Chooses the scale under which both the value and all before it are exact. */
  #widen(value: number): void {
    const from = this.#scale;
    const largest = Math.max(this.#largest, value);
    const to = scales.find((scale) => scale > from && isExact(value, scale) && fits(largest, scale)) ?? 0;
    const converted = (chunk: Chunk): Chunk => {
      const wide = to === 0 ? new Float64Array(chunk.length) : new Uint32Array(chunk.length);
      for (let index = 0; index < chunk.length; index += 1) wide[index] = restored(chunk[index]!, from, to);
      return wide;
    };
    // One by one, so that never more than one chunk is there twice.
    for (let index = 0; index < this.#chunks.length; index += 1) {
      this.#chunks[index] = converted(this.#chunks[index]!);
    }
    this.#chunk = converted(this.#chunk);
    this.#scale = to;
  }

  #moveTo(sorted: Chunk, start: number, scale: Scale): number {
    let filled = start;
    for (const [chunk, used] of this.#parts()) {
      for (let index = 0; index < used; index += 1) {
        sorted[filled] = restored(chunk[index]!, this.#scale, scale);
        filled += 1;
      }
    }
    this.#chunks = [];
    this.#chunk = new Uint32Array(0);
    this.#used = 0;
    this.#samples = 0;
    this.#scale = 1;
    this.#largest = 0;
    return filled;
  }
}

type Chunk = Uint32Array | Float64Array;
/** Each divides the next, so that what is exact under one is exact under the next. */
type Scale = 0 | 1 | 1_000 | 1_000_000;

const scales = [1, 1_000, 1_000_000] as const;
const smallestChunk = 32;
const largestChunk = 2 ** 16;

function isExact(value: number, scale: number): boolean {
  return Math.round(value * scale) / scale === value;
}

function fits(value: number, scale: number): boolean {
  return Math.round(value * scale) < 2 ** 32;
}

function valueOf(stored: number, scale: Scale): number {
  return scale <= 1 ? stored : stored / scale;
}

function restored(stored: number, from: Scale, to: Scale): number {
  if (from === to) return stored;
  return to === 0 ? valueOf(stored, from) : Math.round(stored * (to / from));
}

function joinedScale(bags: readonly { readonly scale: Scale; readonly largest: number }[]): Scale {
  if (bags.some(({ scale }) => scale === 0)) return 0;
  const widest = bags.reduce<Scale>((most, { scale }) => (scale > most ? scale : most), 1);
  return bags.every(({ largest }) => fits(largest, widest)) ? widest : 0;
}

/** Percentiles lie between stored values, so they are brought back after they were found. */
function divided(stats: Stats, scale: number): Stats {
  const { samples, mean, p50, p75, p95, p99, max, top } = stats;
  return {
    samples,
    mean: mean / scale,
    ...{ p50: p50 / scale, p75: p75 / scale, p95: p95 / scale, p99: p99 / scale, max: max / scale },
    top: top?.map((value) => value / scale) ?? null,
  };
}
