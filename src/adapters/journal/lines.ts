/** Records as lines that know whether they are whole: a number, a checksum, and the record itself. */
import { createHash } from 'node:crypto';

export interface Lines {
  readonly records: readonly unknown[];
  /** Where the last whole line ends; what follows was cut short when it was written. */
  readonly wholeBytes: number;
}

/** Throws a TypeError for what could not be given back. */
export function jsonOf(record: unknown): string {
  const json = JSON.stringify(record) as string | undefined;
  if (json === undefined) throw new TypeError('a record must be something that JSON can say');
  return json;
}

/** `number` counts the records of a journal from 0, so that a line that went missing shows. */
export function lineOf(number: number, json: string): string {
  return `{"n":${number},"sum":"${checksum(number, json)}","record":${json}}\n`;
}

/** Lines that are broken at the end are left out. `null`: a line is broken or missing and whole ones follow. */
export function readLines(content: Buffer): Lines | null {
  const records: unknown[] = [];
  let wholeBytes = 0;
  let isBroken = false;
  let start = 0;
  for (;;) {
    const end = content.indexOf('\n', start);
    if (end < 0) break;
    const line = parseLine(content.toString('utf8', start, end));
    start = end + 1;
    if (line === null) {
      isBroken = true;
      continue;
    }
    if (isBroken || line.number !== records.length) return null;
    records.push(line.record);
    wholeBytes = start;
  }
  return { records, wholeBytes };
}

function parseLine(text: string): { readonly number: number; readonly record: unknown } | null {
  const match = /^\{"n":(\d+),"sum":"([0-9a-f]{16})","record":(.*)\}$/s.exec(text);
  const [, digits = '', sum, json = ''] = match ?? [];
  if (match === null || checksum(Number(digits), json) !== sum) return null;
  return { number: Number(digits), record: JSON.parse(json) as unknown };
}

function checksum(number: number, json: string): string {
  return createHash('sha256').update(`${number}:${json}`).digest('hex').slice(0, 16);
}
