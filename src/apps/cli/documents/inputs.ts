/** The files behind `-f`: documents and traces of any mix, as the one question that they state together. */
import { nameOf, readText } from '#adapters/files/read-text';
import type { PriceTable } from '#core/cost/price-table';
import { MicaError } from '#core/errors';
import type { Fleet, Need } from '#core/plan/documents';
import type { Checked } from './check-shape.js';
import { fleetOf } from './fleet.js';
import { layoutsOf, type GpuLayout } from './layouts.js';
import { needsOf } from './needs.js';
import { looksLikeCsv, readOpenb } from './openb.js';
import { pricesWith } from './prices.js';
import { failureOf, type Problem } from './problem.js';
import { readDocuments, type ReadDocument } from './read-documents.js';
import { mostReplicas } from './schemas.js';
import { longestYamlBytes } from './yaml-source.js';

export interface Inputs {
  readonly fleet: Fleet;
  readonly needs: readonly Need[];
  readonly layouts: readonly GpuLayout[];
  readonly prices: PriceTable;
  /** What was left out or assumed while reading, one sentence each. */
  readonly notes: readonly string[];
}

/** Reads all files, so that one run shows everything that must be mended. Throws MicaError. */
export async function readInputs(files: readonly string[], builtInPrices: PriceTable): Promise<Inputs> {
  if (files.filter((file) => file === '-').length > 1) {
    throw new MicaError('bad-usage', 'standard input (-) can be read once', { next: 'Name it in one -f.' });
  }
  const contents: Content[] = [];
  for (const file of files) contents.push(await contentOf(file));
  const problems = contents.flatMap((content) => content.problems);
  if (problems.length > 0) throw failureOf(problems, contents.some(isBadCsv) ? 'bad-csv' : 'bad-document');
  return merge(contents, builtInPrices);
}

interface Content {
  readonly isCsv: boolean;
  readonly documents: readonly ReadDocument[];
  /** Of a trace. */
  readonly needs: readonly Need[];
  readonly notes: readonly string[];
  readonly problems: readonly Problem[];
}

/** A trace of a few hundred thousand pods is read in two seconds. */
const longestCsvBytes = 16 * 2 ** 20;

async function contentOf(file: string): Promise<Content> {
  const text = await readText(file, longestCsvBytes);
  const name = nameOf(file);
  const nothing = { documents: [], needs: [], notes: [], problems: [] };
  if (looksLikeCsv(text, file)) {
    const read = readOpenb(text, name);
    return { ...nothing, isCsv: true, ...(read.ok ? { needs: read.needs, notes: read.notes } : read) };
  }
  if (text.length > longestYamlBytes) {
    const size = (text.length / 2 ** 20).toFixed(1);
    throw new MicaError('file-too-large', `${name} has ${size} MiB; a document file may have 1 MiB`);
  }
  const read = readDocuments(text, name);
  return { ...nothing, isCsv: false, ...(read.ok ? { documents: read.value } : read) };
}

function merge(contents: readonly Content[], builtInPrices: PriceTable): Inputs {
  const documents = contents.flatMap((content) => content.documents);
  const prices = valueOf(
    pricesWith(
      documents.filter((one) => one.kind === 'Prices'),
      builtInPrices,
    ),
  );
  const fleet = fleetOf(
    documents.filter((one) => one.kind === 'Fleet'),
    prices,
  );
  const stated = needsOf(documents.filter((one) => one.kind === 'Needs'));
  const layouts = layoutsOf(documents.filter((one) => one.kind === 'Layout'));
  const problems = [fleet, stated, layouts].flatMap((one) => (one.ok ? [] : one.problems));
  if (problems.length > 0) throw failureOf(problems);
  const needs = [...contents.flatMap((content) => content.needs), ...valueOf(stated)];
  checkTogether(needs);
  return {
    fleet: valueOf(fleet),
    needs,
    layouts: valueOf(layouts),
    prices,
    notes: contents.flatMap(({ notes }) => notes),
  };
}

/** A trace beside documents or a second trace: their needs must not share a name, and have an end. */
function checkTogether(needs: readonly Need[]): void {
  const names = new Set<string>();
  for (const { name } of needs) {
    if (names.has(name))
      throw new MicaError(
        'bad-document',
        `two needs are called '${name}'; give each trace a run of its own, or rename one`,
      );
    names.add(name);
  }
  const replicas = needs.reduce((sum, { count }) => sum + count, 0);
  if (replicas > mostReplicas) {
    throw new MicaError(
      'bad-document',
      `the needs add up to ${replicas} replicas; Mica plans at most ${mostReplicas}`,
    );
  }
}

function isBadCsv({ isCsv, problems }: Content): boolean {
  return isCsv && problems.length > 0;
}

function valueOf<T>(checked: Checked<T>): T {
  if (!checked.ok) throw failureOf(checked.problems);
  return checked.value;
}
