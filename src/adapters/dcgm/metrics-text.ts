/** The text that dcgm-exporter answers with, line by line. Prometheus's own parsers give up at the first bad value. */
import { isNumeral } from './numeral.js';

export type MetricsLine =
  | Sample
  /** HELP, TYPE and other remarks, and empty lines. */
  | { readonly kind: 'remark' }
  | { readonly kind: 'unreadable'; readonly text: string };

export interface Sample {
  readonly kind: 'sample';
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** As written, which may be a text: `ERROR - FAILED TO CONVERT TO STRING`. */
  readonly value: string;
  /** `null`: not written. */
  readonly timeMs: number | null;
}

export function* metricsLines(text: string): Iterable<MetricsLine> {
  // The end of the last line is not the beginning of another.
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const line of lines) yield readLine(line.trim());
}

const remark: MetricsLine = { kind: 'remark' };
const nameAtStart = /^[a-zA-Z_:][\w:./-]*/;

function readLine(line: string): MetricsLine {
  if (line === '' || line.startsWith('#')) return remark;
  const name = nameAtStart.exec(line)?.[0];
  if (name === undefined) return { kind: 'unreadable', text: line };
  const labels = new Map<string, string>();
  const end = readLabels(line, name.length, labels);
  const rest = end === null ? '' : line.slice(end).trim();
  if (rest === '') return { kind: 'unreadable', text: line };
  return { kind: 'sample', name, labels, ...valueAndTime(rest) };
}

const label = /\s*([a-zA-Z_][\w.]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,?)/y;
const closing = /\s*\}/y;

/** Where the labels end; `null`: they do not. */
function readLabels(line: string, start: number, labels: Map<string, string>): number | null {
  const open = /^\s*\{/.exec(line.slice(start));
  if (open === null) return /^\s/.test(line.slice(start)) ? start : null;
  let at = start + open[0].length;
  for (;;) {
    closing.lastIndex = at;
    if (closing.test(line)) return closing.lastIndex;
    label.lastIndex = at;
    const match = label.exec(line);
    if (match === null) return null;
    labels.set(match[1]!, unescape(match[2]!));
    at = label.lastIndex;
  }
}

function unescape(text: string): string {
  return text.includes('\\')
    ? text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
    : text;
}

/** A value that is a text has blanks too, so a time is only one where a number stands before it. */
function valueAndTime(rest: string): { readonly value: string; readonly timeMs: number | null } {
  const [value = '', time, next] = rest.split(/\s+/, 3);
  if (!isNumeral(value)) return { value: rest, timeMs: null };
  if (time === undefined || time.startsWith('#')) return { value, timeMs: null };
  if (!/^-?\d+(\.\d+)?$/.test(time) || (next !== undefined && !next.startsWith('#'))) {
    return { value: rest, timeMs: null };
  }
  return { value, timeMs: inMilliseconds(Number(time)) };
}

/** Prometheus writes milliseconds, OpenMetrics seconds. `null`: of another century, so that it is no time. */
function inMilliseconds(time: number): number | null {
  const timeMs = Math.round(time < 1e11 ? time * 1000 : time);
  return timeMs >= year2000Ms && timeMs < year2100Ms ? timeMs : null;
}

const year2000Ms = 946_684_800_000;
const year2100Ms = 4_102_444_800_000;
