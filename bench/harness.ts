/** What a benchmark is, and how its results are printed: quality beside speed, the bar, and whether it was met. */

/** One line of a table; the keys are the headings. */
export type Row = Readonly<Record<string, string | number>>;

/** A promise about the numbers above it. */
export interface Bar {
  readonly what: string;
  readonly bar: string;
  readonly measured: string;
  readonly met: boolean;
}

export interface Outcome {
  readonly rows: readonly Row[];
  readonly bars: readonly Bar[];
  /** What a reader must know to judge the table, one sentence each. */
  readonly notes?: readonly string[];
}

export interface BenchOptions {
  /** Smaller counts, for a look in seconds; bars may be missed by chance. */
  readonly quick: boolean;
}

export interface Bench {
  readonly name: string;
  /** What is measured, on what, and with which seeds. */
  readonly about: string;
  readonly run: (options: BenchOptions) => Outcome | Promise<Outcome>;
}

export function atLeast(what: string, measured: number, bar: number, digits = 2): Bar {
  return { what, bar: `>= ${bar}`, measured: measured.toFixed(digits), met: measured >= bar };
}

export function atMost(what: string, measured: number, bar: number, digits = 2): Bar {
  return { what, bar: `<= ${bar}`, measured: measured.toFixed(digits), met: measured <= bar };
}

export function timed<T>(work: () => T): { readonly result: T; readonly ms: number } {
  const started = performance.now();
  const result = work();
  return { result, ms: performance.now() - started };
}

/** The whole report of one benchmark as text. */
export function reportText({ name, about }: Bench, outcome: Outcome, seconds: number): string {
  const bars = outcome.bars.map(({ what, bar, measured, met }) => ({
    bar: what,
    wanted: bar,
    measured,
    '': met ? 'pass' : 'MISS',
  }));
  return [
    `${name}: ${about}`,
    tableText(outcome.rows),
    ...(outcome.notes ?? []).map((note) => `  ${note}`),
    tableText(bars),
    `  (${seconds.toFixed(1)} s)`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** Columns as wide as they must be; numbers to the right. */
export function tableText(rows: readonly Row[]): string {
  const headings = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [headings, ...rows.map((row) => headings.map((heading) => row[heading] ?? ''))];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => String(line[column]).length)));
  const isNumeric = headings.map((heading) =>
    rows.every((row) => /^[-+]?[\d.,]|^$/.test(String(row[heading] ?? ''))),
  );
  return lines
    .map((line) => {
      const cells = line.map((cell, column) => {
        const width = widths[column] ?? 0;
        return isNumeric[column] === true ? String(cell).padStart(width) : String(cell).padEnd(width);
      });
      return `  ${cells.join('  ')}`.trimEnd();
    })
    .join('\n');
}
