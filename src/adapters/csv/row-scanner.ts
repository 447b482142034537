/**
 * Rows of a CSV, found in its bytes without making strings of them: cells are where they begin and end. Cells are
 * trimmed; quoted ones may hold delimiters, line breaks and doubled quotes. Lines that start with # are remarks.
 */

/** One row, valid until the next is scanned. */
export interface Row {
  readonly bytes: Buffer;
  readonly cells: number;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** In which line of the file it begins, from 1. */
  readonly line: number;
  /** Quotes that do not close, or go on behind their end: the cells mean nothing. */
  readonly isBroken: boolean;
  /** The file ends without a line break behind it, and perhaps in the middle of it. */
  readonly isUnended: boolean;
  /** Empty where there is no such cell. */
  readonly text: (cell: number) => string;
}

const [newline, carriageReturn, quote, hash, blank, tab] = [10, 13, 34, 35, 32, 9];
const mostCells = 256;
/** Quotes that are never closed must not swallow the file. */
export const longestRow = 2 ** 16;

export class RowScanner implements Row {
  bytes: Buffer = Buffer.alloc(0);
  cells = 0;
  readonly starts = new Int32Array(mostCells);
  readonly ends = new Int32Array(mostCells);
  line = 1;
  isBroken = false;
  isUnended = false;
  readonly #delimiter: number;
  readonly #onRow: (row: Row) => void;
  readonly #hasDoubledQuotes = new Uint8Array(mostCells);
  #lineBreaks = 0;

  constructor(delimiter: string, onRow: (row: Row) => void) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#onRow = onRow;
  }

  /** How many of the bytes are done with; the others begin a row, and must come again with what follows them. */
  scan(bytes: Buffer, length: number, isLast: boolean): number {
    this.bytes = bytes;
    let at = 0;
    while (at < length) {
      this.cells = 0;
      this.isBroken = false;
      this.#lineBreaks = 0;
      const next = bytes[at] === hash ? this.#remark(at, length, isLast) : this.#row(at, length, isLast);
      if (next === incomplete) break;
      if (this.#isSomething()) this.#onRow(this);
      this.line += this.#lineBreaks;
      at = next;
    }
    return at;
  }

  text(cell: number): string {
    if (cell >= this.cells || cell >= mostCells) return '';
    const text = this.bytes.toString('utf8', this.starts[cell], this.ends[cell]);
    return this.#hasDoubledQuotes[cell] === 1 ? text.replaceAll('""', '"') : text;
  }

  /** A line without anything has one empty cell. */
  #isSomething(): boolean {
    return this.cells > 1 || (this.cells === 1 && (this.isBroken || this.starts[0]! < this.ends[0]!));
  }

  #remark(start: number, length: number, isLast: boolean): number {
    const end = this.bytes.indexOf(newline, start);
    this.#lineBreaks = 1;
    if (end >= 0 && end < length) return end + 1;
    return isLast ? length : incomplete;
  }

  /** Where the next row begins. */
  #row(start: number, length: number, isLast: boolean): number {
    const { bytes } = this;
    const delimiter = this.#delimiter;
    let at = start;
    for (;;) {
      while (at < length && (bytes[at] === blank || bytes[at] === tab) && bytes[at] !== delimiter) at += 1;
      let next: number;
      if (at < length && bytes[at] === quote) {
        next = this.#quotedCell(at, start, length, isLast);
        if (next === incomplete) return incomplete;
        if (this.isBroken) return next;
      } else {
        next = at;
        while (next < length && bytes[next] !== delimiter && bytes[next] !== newline) next += 1;
        if (next === length && !isLast && length - start <= longestRow) return incomplete;
        let end = next;
        while (end > at && isTrimmed(bytes[end - 1]!)) end -= 1;
        this.#add(at, end, 0);
      }
      if (next === length || bytes[next] === newline) {
        this.#lineBreaks += 1;
        this.isUnended = next === length;
        return Math.min(length, next + 1);
      }
      at = next + 1;
    }
  }

  /** Where the delimiter or line break behind it is. */
  #quotedCell(start: number, rowStart: number, length: number, isLast: boolean): number {
    const { bytes } = this;
    let doubled = 0;
    let at = start + 1;
    for (;;) {
      if (at >= length || at - rowStart > longestRow) {
        return isLast || at - rowStart > longestRow ? this.#breakOff(rowStart, length) : incomplete;
      }
      if (bytes[at] === newline) this.#lineBreaks += 1;
      if (bytes[at] === quote) {
        if (at + 1 === length && !isLast) return incomplete;
        if (at + 1 >= length || bytes[at + 1] !== quote) break;
        doubled = 1;
        at += 1;
      }
      at += 1;
    }
    this.#add(start + 1, at, doubled);
    at += 1;
    while (at < length && isTrimmed(bytes[at]!) && bytes[at] !== this.#delimiter) at += 1;
    if (at === length) return isLast ? at : incomplete;
    if (bytes[at] !== this.#delimiter && bytes[at] !== newline) return this.#breakOff(rowStart, length);
    return at;
  }

  /** Goes on with the next line, as if there were no quotes. */
  #breakOff(rowStart: number, length: number): number {
    this.isBroken = true;
    this.cells = Math.max(1, this.cells);
    this.#lineBreaks = 1;
    const end = this.bytes.indexOf(newline, rowStart);
    return end < 0 || end >= length ? length : end + 1;
  }

  /** More cells than any file has are not kept. */
  #add(start: number, end: number, doubled: number): void {
    if (this.cells < mostCells) {
      this.starts[this.cells] = start;
      this.ends[this.cells] = end;
      this.#hasDoubledQuotes[this.cells] = doubled;
    }
    this.cells += 1;
  }
}

const incomplete = -1;

function isTrimmed(byte: number): boolean {
  return byte === blank || byte === tab || byte === carriageReturn;
}
