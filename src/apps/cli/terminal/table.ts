/** Rows in columns: with lines and bold heads on a terminal, plain and aligned in a pipe. */
import Table from 'cli-table3';
import type { Screen } from './screen.js';

export interface Column {
  readonly head: string;
  /** Numbers stand under one another. */
  readonly align?: 'right';
}

export function tableOf(
  screen: Screen,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const table = new Table({
    head: columns.map(({ head }) => (screen.isTerminal ? screen.style.bold(head) : head)),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
    chars: screen.isTerminal ? underlinedHead : noLines,
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n');
}

const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

const underlinedHead = { ...noLines, mid: '─', 'mid-mid': '──' };
