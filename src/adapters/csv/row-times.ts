/** Times of rows; most rows have the time of the row before. */
import { readTime } from './byte-values.js';
import type { Row } from './row-scanner.js';

export class RowTimes {
  readonly #cell: number;
  readonly #last = new Uint8Array(64);
  #length = -1;
  #timeMs = NaN;
  /** Some time had no zone. */
  isZoneless = false;

  constructor(cell: number) {
    this.#cell = cell;
  }

  /** NaN: none that can be read. */
  of({ bytes, starts, ends, cells }: Row): number {
    if (this.#cell >= cells) return NaN;
    const start = starts[this.#cell]!;
    const length = ends[this.#cell]! - start;
    if (length === this.#length && this.#isLast(bytes, start)) return this.#timeMs;
    if (length > this.#last.length) return NaN;
    const { timeMs, isZoneless } = readTime(bytes, start, start + length);
    if (isZoneless) this.isZoneless = true;
    for (let at = 0; at < length; at += 1) this.#last[at] = bytes[start + at]!;
    this.#length = length;
    this.#timeMs = timeMs;
    return timeMs;
  }

  #isLast(bytes: Uint8Array, start: number): boolean {
    // From behind, since that is where times differ.
    for (let at = this.#length - 1; at >= 0; at -= 1) if (bytes[start + at] !== this.#last[at]) return false;
    return true;
  }
}
