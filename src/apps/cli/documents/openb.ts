/**
 * The pod list of the Alibaba openb trace (cluster-trace-gpu-v2023) as needs: every pod at once. What the trace does
 * not say is not made up; the notes say what was left out and which rule turns a share into slices.
 */
import { CsvError, parse } from 'csv-parse/sync';
import type { Need } from '#core/plan/documents';
import { mostGpusPerNode } from './schemas.js';
import { describeValue, type Problem, type Where } from './problem.js';

export type OpenbAnswer =
  | { readonly ok: true; readonly needs: readonly Need[]; readonly notes: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What the list must have; its other columns (host CPU and memory, times, QoS) are not read. */
const columns = ['name', 'num_gpu', 'gpu_milli'] as const;
const tellTale = ['num_gpu', 'gpu_milli', 'cpu_milli', 'gpu_spec'];

/** By its name or, for a stream without one, by its header line. */
export function looksLikeCsv(text: string, file: string): boolean {
  if (file.toLowerCase().endsWith('.csv')) return true;
  const names = headerOf(text).split(',');
  return tellTale.filter((name) => names.includes(name)).length >= 2;
}

/** Lines that start with `#` are remarks. */
export function readOpenb(text: string, file: string): OpenbAnswer {
  let rows: readonly (readonly string[])[];
  try {
    rows = parse(text, csvOptions);
  } catch (error) {
    if (error instanceof CsvError) return refuse(file, Number(error['lines'] ?? 1), error.message);
    throw error;
  }
  const [header = [], ...records] = rows;
  const missing = columns.filter((name) => !header.includes(name));
  if (missing.length > 0) {
    const message =
      `has no column ${missing.join(' and no column ')}; it has ${header.length === 0 ? 'no header line' : listed(header)}. ` +
      `An openb pod list has ${columns.join(', ')} (others are not read)`;
    return refuse(file, 1, message);
  }
  return gather(records, header, (record) => ({ file, line: lineOf(text, record + 1), column: 1 }));
}

const csvOptions = {
  bom: true,
  comment: '#',
  comment_no_infix: true,
  max_record_size: 100_000,
  skip_empty_lines: true,
  trim: true,
} as const;

interface Group {
  readonly name: string;
  readonly gpus: number;
  /** Of one card; of all of them where there are several. */
  readonly share: number;
  count: number;
}

function gather(
  records: readonly (readonly string[])[],
  header: readonly string[],
  whereIs: (record: number) => Where,
): OpenbAnswer {
  const [gpusColumn, milliColumn] = [header.indexOf('num_gpu'), header.indexOf('gpu_milli')];
  const groups = new Map<string, Group>();
  const problems: Problem[] = [];
  let withoutGpu = 0;
  for (const [index, record] of records.entries()) {
    const [gpus, milli] = [wholeNumber(record[gpusColumn]), wholeNumber(record[milliColumn])];
    const refusal = refusalOf(gpus, milli);
    if (refusal !== undefined) {
      const found = record[refusal.path === 'num_gpu' ? gpusColumn : milliColumn] ?? '';
      const message = `${refusal.message}, got ${describeValue(found)}`;
      problems.push({ where: whereIs(index), path: refusal.path, message });
      if (problems.length === mostProblems) break;
    } else if (gpus === 0) withoutGpu += 1;
    else addTo(groups, gpus, milli);
  }
  if (problems.length > 0) return { ok: false, problems };
  if (groups.size === 0) {
    const message = `holds no pod that uses a GPU (${records.length} pods)`;
    return { ok: false, problems: [{ where: whereIs(-1), path: '', message }] };
  }
  const sorted = [...groups.values()].sort((a, b) => a.gpus - b.gpus || a.share - b.share);
  return { ok: true, needs: sorted.map(needOf), notes: notesOn(records.length, withoutGpu, sorted) };
}

/** A list of the wrong kind is wrong in every line: no need to read it to the end. */
const mostProblems = 10;

function addTo(groups: Map<string, Group>, gpus: number, milli: number): void {
  const isShare = gpus === 1 && milli < 1000;
  const name = isShare ? `share-${milli}` : `gpus-${gpus}`;
  const group = groups.get(name) ?? { name, gpus, share: isShare ? milli / 1000 : gpus, count: 0 };
  group.count += 1;
  groups.set(name, group);
}

function needOf({ name, gpus, share, count }: Group): Need {
  return {
    name,
    count,
    compute: { share },
    gpus,
    p2p: false,
    media: false,
    graphics: false,
    isolation: 'hardware',
    priority: 0,
    movable: true,
  };
}

function refusalOf(gpus: number, milli: number): Pick<Problem, 'path' | 'message'> | undefined {
  if (!(gpus >= 0 && gpus <= mostGpusPerNode)) {
    return { path: 'num_gpu', message: `must be a whole number from 0 to ${mostGpusPerNode}` };
  }
  const least = gpus === 1 ? 1 : 0;
  if (gpus > 0 && !(milli >= least && milli <= 1000)) {
    return { path: 'gpu_milli', message: `must be a whole number from ${least} to 1000` };
  }
  return undefined;
}

function notesOn(pods: number, withoutGpu: number, groups: readonly Group[]): readonly string[] {
  const shares = groups.filter((group) => group.share < 1).reduce((sum, group) => sum + group.count, 0);
  return [
    `openb: ${pods} pods, ${pods - withoutGpu} of them use a GPU and ${shares} ask for less than one; the ${withoutGpu} without a GPU are left out.`,
    'openb: all pods are taken at once; their times of creation and deletion are ignored.',
    'openb: a share of a GPU is rounded up to compute slices (1g, 2g, 3g, 4g or 7g of 7; 1g, 2g or 4g of 4).',
    'openb: GPU memory is not in the trace, so no slice is chosen for its memory; a share is a request, not a use.',
  ];
}

/** NaN for anything that is not digits. */
function wholeNumber(text: string | undefined): number {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : NaN;
}

/** The first line that is not a remark. */
function headerOf(text: string): string {
  const start = text.slice(0, 10_000).replace(/^\uFEFF/, '');
  return /^(?!#)[^\r\n]+/m.exec(start)?.[0] ?? '';
}

/** Asked only for a record that is wrong: keeping the lines of all of them makes reading three times as slow. */
function lineOf(text: string, record: number): number {
  const records: unknown = parse(text, { ...csvOptions, info: true, to: record + 1 });
  // With `info` each record is an object; the package's types know only the plain form.
  return (records as readonly { readonly info: { readonly lines: number } }[]).at(-1)?.info.lines ?? 1;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 15).map((name) => (name.length <= 30 ? name : `${name.slice(0, 30)}…`));
  return `${shown.join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''}`;
}

function refuse(file: string, line: number, message: string): OpenbAnswer {
  return { ok: false, problems: [{ where: { file, line, column: 1 }, path: '', message }] };
}
