/** Rows of equal cells are of one series: found by the bytes of the cells, without a string per row. */
import type { Row } from './row-scanner.js';

export class RowKeys<T> {
  readonly #cells: readonly number[];
  readonly #entries = new Map<number, Entry<T>>();
  #last: Entry<T> | undefined;

  /** The cells that tell rows apart. */
  constructor(cells: readonly number[]) {
    this.#cells = cells;
  }

  /** What was made for the first row of such cells. */
  of(row: Row, make: (row: Row) => T): T {
    // Series mostly follow each other in the order of the time before.
    const before = this.#last;
    const expected = before?.follower;
    if (expected !== undefined && this.#fits(expected, row)) {
      this.#last = expected;
      return expected.value;
    }
    const entry = this.#find(row, make);
    if (before !== undefined) before.follower = entry;
    this.#last = entry;
    return entry.value;
  }

  #find(row: Row, make: (row: Row) => T): Entry<T> {
    const hash = this.#hash(row);
    const first = this.#entries.get(hash);
    for (let entry = first; entry !== undefined; entry = entry.next) {
      if (this.#fits(entry, row)) return entry;
    }
    const entry = { ...this.#copy(row), value: make(row), next: first, follower: undefined };
    this.#entries.set(hash, entry);
    return entry;
  }

  #hash({ bytes, starts, ends, cells }: Row): number {
    let hash = 0x811c9dc5;
    for (const cell of this.#cells) {
      const end = cell < cells ? ends[cell]! : 0;
      for (let at = cell < cells ? starts[cell]! : 0; at < end; at += 1) {
        hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
      }
      hash = Math.imul(hash ^ 0x1ff, 0x01000193);
    }
    return hash;
  }

  #fits({ bytes, lengths }: Entry<T>, row: Row): boolean {
    let kept = 0;
    for (let index = 0; index < this.#cells.length; index += 1) {
      const cell = this.#cells[index]!;
      const start = cell < row.cells ? row.starts[cell]! : 0;
      const length = cell < row.cells ? row.ends[cell]! - start : 0;
      if (length !== lengths[index]) return false;
      for (let at = 0; at < length; at += 1) if (row.bytes[start + at] !== bytes[kept + at]) return false;
      kept += length;
    }
    return true;
  }

  #copy(row: Row): Pick<Entry<T>, 'bytes' | 'lengths'> {
    const parts = this.#cells.map((cell) =>
      cell < row.cells ? row.bytes.subarray(row.starts[cell], row.ends[cell]) : Buffer.alloc(0),
    );
    return { bytes: Buffer.concat(parts), lengths: parts.map(({ length }) => length) };
  }
}

interface Entry<T> {
  readonly bytes: Buffer;
  readonly lengths: readonly number[];
  readonly value: T;
  readonly next: Entry<T> | undefined;
  /** Whose row came after this one's, the last time. */
  follower: Entry<T> | undefined;
}
