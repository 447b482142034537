/** CSV files as a source of metrics: samples that somebody exported, and logs of nvidia-smi. Read once, in one pass. */
import { MicaError } from '#core/errors';
import { Collector } from '#core/observe/collector';
import type { SourceKind } from '#core/observe/observation';
import type { MetricsSource, ObserveRequest } from '#ports/metrics-source';
import { formatOf, type Surroundings } from './formats.js';
import { readHeader, type CsvKind, type Header } from './header.js';
import { openCsv, type CsvFile } from './read-rows.js';
import { RowTaker } from './take-rows.js';

/** `-`: standard input. Files may be of several kinds; each is known by its header. */
export function csvSource(paths: readonly string[]): MetricsSource {
  return {
    observe: async (request) => {
      request.signal.throwIfAborted();
      const files = await openAll(paths);
      try {
        return await observeFiles(files, request);
      } finally {
        await Promise.all(files.map((file) => file.close()));
      }
    },
  };
}

async function openAll(paths: readonly string[]): Promise<readonly CsvFile[]> {
  const files: CsvFile[] = [];
  try {
    for (const path of paths) files.push(await openCsv(path));
    return files;
  } catch (error) {
    await Promise.all(files.map((file) => file.close()));
    throw error;
  }
}

async function observeFiles(files: readonly CsvFile[], { signal, progress }: ObserveRequest) {
  const collector = new Collector();
  const kinds = new Map<CsvFile, CsvKind>();
  for (const file of files) if (file.bytes !== null) kinds.set(file, (await headerOf(file)).kind);
  const isOfProcesses = [...kinds.values()].includes('smi-processes');
  const surroundings: Surroundings = {
    collector,
    cards: new Map(),
    hasProcesses: isOfProcesses,
    cutGpus: new Set(),
  };
  const total = files.reduce<number | null>(
    (sum, { bytes }) => (sum === null || bytes === null ? null : sum + bytes),
    0,
  );
  let before = 0;
  // Logs of GPUs first: they have the names of the cards.
  const ordered = [...files].sort(
    (a, b) => Number(kinds.get(b) === 'smi-gpus') - Number(kinds.get(a) === 'smi-gpus'),
  );
  for (const file of ordered) {
    kinds.set(
      file,
      await takeFile(file, surroundings, (bytesRead) => {
        signal.throwIfAborted();
        progress({
          what: `reading ${file.name}`,
          part: total === null ? null : Math.min(1, (before + bytesRead) / total),
        });
        signal.throwIfAborted();
      }),
    );
    before += file.bytes ?? 0;
  }
  noteOn(surroundings, new Set(kinds.values()));
  const source: SourceKind = [...kinds.values()].some((kind) => kind !== 'workloads') ? 'nvidia-smi' : 'csv';
  return { source, ...collector.finish(() => null) };
}

async function takeFile(
  file: CsvFile,
  surroundings: Surroundings,
  afterPiece: (bytesRead: number) => void,
): Promise<CsvKind> {
  const found: { header?: Header; taker?: RowTaker } = {};
  await file.rows(
    (row) => {
      if (found.taker !== undefined) {
        found.taker.take(row);
        return;
      }
      found.header = readHeader(cellsOf(row), file.name);
      found.taker = new RowTaker(
        found.header,
        formatOf(found.header.kind, surroundings),
        surroundings.collector,
      );
    },
    (bytesRead) => {
      afterPiece(bytesRead);
      return true;
    },
  );
  const { header, taker } = found;
  if (header === undefined || taker === undefined) throw isEmpty(file);
  judge(taker, file.name, surroundings.collector);
  return header.kind;
}

function judge({ used, left, firstLeft, isZoneless }: RowTaker, name: string, collector: Collector): void {
  const first = firstLeft === null ? '' : `: ${firstLeft.why} (line ${firstLeft.line})`;
  if (used === 0) throw new MicaError('bad-csv', `${name} has no row that can be used${first}`);
  if (left === 1) collector.note(`1 row of ${name} was left out${first}.`);
  if (left > 1)
    collector.note(`${left} rows of ${name} were left out, the first${first.replace(':', ' because')}.`);
  if (isZoneless) collector.note(`Times in ${name} name no zone; they are taken for UTC.`);
}

function noteOn({ collector, cutGpus }: Surroundings, kinds: ReadonlySet<CsvKind>): void {
  if (cutGpus.size > 0) {
    collector.note(
      `${[...cutGpus].join(', ')}: MIG is on, and nvidia-smi shows the whole card only; its rows were left out. Use dcgm-exporter, or --nvml on that machine.`,
    );
  }
  if (kinds.has('smi-processes')) {
    collector.note(
      'nvidia-smi tells memory per process, not how busy a process keeps the GPU, so that compute is not known.',
    );
  }
}

async function headerOf(file: CsvFile): Promise<Header> {
  const found: { header?: Header } = {};
  await file.rows(
    (row) => {
      found.header ??= readHeader(cellsOf(row), file.name);
    },
    () => found.header === undefined,
  );
  if (found.header === undefined) throw isEmpty(file);
  return found.header;
}

function isEmpty({ name }: CsvFile): MicaError {
  return new MicaError('bad-csv', `${name} is empty`);
}

function cellsOf(row: {
  readonly cells: number;
  readonly text: (cell: number) => string;
}): readonly string[] {
  return Array.from({ length: row.cells }, (_, cell) => row.text(cell));
}
