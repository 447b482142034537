/** The rows of one file, given to the collector; what cannot be used is counted, with the line of the first. */
import type { Reading } from '#core/observe/believe';
import type { Collector, SeriesHandle } from '#core/observe/collector';
import { plainNumber } from './byte-values.js';
import { columnName, type Header } from './header.js';
import { RowKeys } from './row-keys.js';
import type { Row } from './row-scanner.js';
import { RowTimes } from './row-times.js';

export interface SeriesOfRow {
  readonly handle: SeriesHandle;
  /** What its figures cannot be used for, e.g. of a card that is cut. */
  readonly isSilent: boolean;
}

export interface Figure {
  readonly column: string;
  readonly reading: Reading;
  /** As nvidia-smi writes it behind the number; `null`: none may stand there. */
  readonly unit: string | null;
}

export interface RowFormat {
  /** The columns that say whose row it is, as far as the file has them. */
  readonly keys: readonly string[];
  readonly figures: readonly Figure[];
  /** Columns behind this one are counted from the end: its cells have delimiters in them, unquoted. */
  readonly ragged: string | null;
  /** A text: why the row cannot be used. */
  readonly series: (cell: (column: string) => string) => SeriesOfRow | string;
  /** Cells that say that there is no value; an empty one always does. */
  readonly absent: RegExp;
}

export class RowTaker {
  readonly #collector: Collector;
  readonly #format: RowFormat;
  readonly #header: Header;
  readonly #times: RowTimes;
  readonly #keys: RowKeys<SeriesOfRow | string>;
  readonly #figures: readonly (Figure & { readonly cell: number })[];
  readonly #raggedCell: number;
  readonly #firstName: string;
  #hasUnits = false;
  used = 0;
  left = 0;
  firstLeft: { readonly line: number; readonly why: string } | null = null;

  constructor(header: Header, format: RowFormat, collector: Collector) {
    this.#collector = collector;
    this.#format = format;
    this.#header = header;
    this.#times = new RowTimes(header.columns.get('timestamp')!);
    this.#keys = new RowKeys(format.keys.flatMap((name) => header.columns.get(name) ?? []));
    this.#figures = format.figures.flatMap((figure) => {
      const cell = header.columns.get(figure.column);
      return cell === undefined ? [] : [{ ...figure, cell }];
    });
    this.#raggedCell = format.ragged === null ? -1 : (header.columns.get(format.ragged) ?? -1);
    this.#firstName = [...header.columns.keys()][0]!;
  }

  get isZoneless(): boolean {
    return this.#times.isZoneless;
  }

  take(row: Row): void {
    if (row.isBroken) {
      this.#leave(row, 'its quotes do not match');
      return;
    }
    const isRagged = row.cells > this.#header.cells && this.#raggedCell >= 0;
    if (isRagged) this.#closeUp(row);
    if (row.isUnended && this.#isTorn(row)) {
      this.#leave(row, 'the file ends in the middle of it');
      return;
    }
    if (!isRagged && this.#hasMore(row)) {
      // A number like 5,000 without quotes; which cell is torn cannot be told.
      this.#leave(row, 'it has more cells than the header');
      return;
    }
    const timeMs = this.#times.of(row);
    if (Number.isNaN(timeMs)) {
      // A log that was started again has its header again.
      if (columnName(row.text(0)) === this.#firstName) return;
      this.#leave(row, 'it has no time that can be read');
      return;
    }
    const series = this.#keys.of(row, this.#make);
    if (typeof series === 'string') {
      this.#leave(row, series);
      return;
    }
    this.used += 1;
    let isFound = false;
    if (!series.isSilent) {
      for (const figure of this.#figures) if (this.#add(row, figure, series.handle, timeMs)) isFound = true;
    }
    if (!isFound) this.#collector.see(series.handle, timeMs);
  }

  readonly #make = (row: Row): SeriesOfRow | string => {
    const { columns } = this.#header;
    return this.#format.series((name) => {
      const cell = columns.get(name);
      return cell === undefined ? '' : row.text(cell);
    });
  };

  /** `false`: the cell says nothing. */
  #add(
    row: Row,
    { cell, reading, unit }: Figure & { readonly cell: number },
    handle: SeriesHandle,
    timeMs: number,
  ): boolean {
    if (cell >= row.cells) return false;
    const start = row.starts[cell]!;
    const end = row.ends[cell]!;
    if (start === end) return false;
    const unitBytes = unitLength(row.bytes, start, end, unit);
    if (unitBytes > 0) this.#hasUnits = true;
    const value = plainNumber(row.bytes, start, end - unitBytes);
    if (!Number.isNaN(value)) {
      this.#collector.add(handle, reading, timeMs, value);
      return true;
    }
    const text = row.text(cell);
    if (this.#format.absent.test(text)) return false;
    const bare = unit !== null && text.endsWith(unit) ? text.slice(0, -unit.length) : text;
    this.#collector.add(handle, reading, timeMs, bare);
    return true;
  }

  /** A log that was stopped ends anywhere; `12` may have been `1234 MiB`. */
  #isTorn(row: Row): boolean {
    if (row.cells < this.#header.cells) return true;
    const last = this.#figures.find(({ cell }) => cell === row.cells - 1);
    if (last === undefined || last.unit === null || !this.#hasUnits) return false;
    const text = row.text(last.cell);
    return !text.endsWith(last.unit) && !this.#format.absent.test(text);
  }

  /** Empty cells behind the last do no harm. */
  #hasMore({ cells, starts, ends }: Row): boolean {
    for (let cell = this.#header.cells; cell < cells; cell += 1) if (starts[cell] !== ends[cell]) return true;
    return false;
  }

  /** Joins the cells that a name was torn into. */
  #closeUp(row: Row): void {
    const extra = row.cells - this.#header.cells;
    const { starts, ends } = row;
    ends[this.#raggedCell] = ends[this.#raggedCell + extra]!;
    for (let cell = this.#raggedCell + 1; cell < this.#header.cells; cell += 1) {
      starts[cell] = starts[cell + extra]!;
      ends[cell] = ends[cell + extra]!;
    }
  }

  #leave({ line }: Row, why: string): void {
    this.left += 1;
    this.firstLeft ??= { line, why };
  }
}

/** The unit and the blank before it. */
function unitLength(bytes: Uint8Array, start: number, end: number, unit: string | null): number {
  if (unit === null || end - start < unit.length) return 0;
  for (let at = 0; at < unit.length; at += 1) {
    if (bytes[end - unit.length + at] !== unit.charCodeAt(at)) return 0;
  }
  return bytes[end - unit.length - 1] === 32 ? unit.length + 1 : unit.length;
}
