/** Text -> the documents in it, each of a known kind and shape. What they refer to is checked where they are merged. */
import type { z } from 'zod';
import { didYouMean } from '../did-you-mean.js';
import { checkShape, type Checked } from './check-shape.js';
import { describeValue, type Problem } from './problem.js';
import { apiVersion, documentSchemas, kinds, type Kind, type SpecOf } from './schemas.js';
import { readYaml, type SourceDocument } from './yaml-source.js';

export type ReadDocument = { [K in Kind]: DocumentOf<K> }[Kind];

export interface DocumentOf<K extends Kind> {
  readonly kind: K;
  readonly spec: SpecOf<K>;
  readonly source: SourceDocument;
}

export function readDocuments(text: string, file: string): Checked<readonly ReadDocument[]> {
  const source = readYaml(text, file);
  if (!source.ok) return source;
  if (source.documents.length === 0) {
    return refuse([{ where: { file, line: 1, column: 1 }, path: '', message: 'is empty' }]);
  }
  const checked = source.documents.map(readDocument);
  const problems = checked.flatMap((one) => (one.ok ? [] : one.problems));
  if (problems.length > 0) return refuse(problems);
  return { ok: true, value: checked.flatMap((one) => (one.ok ? [one.value] : [])) };
}

function readDocument(source: SourceDocument): Checked<ReadDocument> {
  const { value } = source;
  const advice = `a document starts with 'apiVersion: ${apiVersion}' and 'kind: ${kinds.join('|')}'`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse([
      { where: source.whereIs([]), path: '', message: `${advice}; this is ${describeValue(value)}` },
    ]);
  }
  const kind: unknown = 'kind' in value ? value.kind : undefined;
  switch (kind) {
    case 'Fleet':
      return readAs('Fleet', source);
    case 'Needs':
      return readAs('Needs', source);
    case 'Layout':
      return readAs('Layout', source);
    case 'Prices':
      return readAs('Prices', source);
    default:
      return refuse([{ where: source.whereIs(['kind']), path: 'kind', message: describeKind(kind, advice) }]);
  }
}

function readAs<K extends Kind>(kind: K, source: SourceDocument): Checked<DocumentOf<K>> {
  const schema: z.ZodType<{ readonly spec: SpecOf<K> }> = documentSchemas[kind];
  const checked = checkShape(schema, source);
  return checked.ok ? { ok: true, value: { kind, spec: checked.value.spec, source } } : checked;
}

function describeKind(kind: unknown, advice: string): string {
  if (kind === undefined) return `is missing; ${advice}`;
  const hint = typeof kind === 'string' ? didYouMean(kind, kinds) : '';
  return `must be one of ${kinds.join(', ')}, got ${describeValue(kind)}${hint}`;
}

function refuse(problems: readonly Problem[]): { readonly ok: false; readonly problems: readonly Problem[] } {
  return { ok: false, problems };
}
