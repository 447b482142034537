/** YAML or JSON text -> plain values that remember where they stood. JSON is read as the YAML that it is. */
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Document, Pair } from 'yaml';
import { describePath, type Problem, type Where } from './problem.js';

/** One document of a file. */
export interface SourceDocument {
  readonly value: unknown;
  /** Where the value of the path stands, or the nearest thing around it that exists. */
  readonly whereIs: (path: readonly PropertyKey[]) => Where;
  /** The same for the key itself, for a key that should not be there. */
  readonly whereIsKey: (path: readonly PropertyKey[]) => Where;
}

export type Source =
  | { readonly ok: true; readonly documents: readonly SourceDocument[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** The reader takes up to two seconds for a megabyte of garbage; larger inputs are refused unread. */
export const longestYamlBytes = 2 ** 20;

/** Empty documents are left out. Never throws: whatever the text is, the answer is a value. */
export function readYaml(text: string, file: string): Source {
  const lines = new LineCounter();
  const at = (offset: number): Where => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const refuse = (problems: readonly Problem[]): Source => ({ ok: false, problems });
  const refuseWhole = (message: string): Source => refuse([{ where: at(0), path: '', message }]);
  if (text.includes('\0')) return refuseWhole('holds NUL bytes: this is not a text file');
  if (deepestBracket(text) > deepestNesting) return refuseWhole(tooDeep);
  try {
    const documents = parse(text, lines);
    const errors = documents.flatMap((document) => document.errors);
    if (errors.length > 0) {
      return refuse(
        errors.map(({ message, pos }) => ({ where: at(pos[0]), path: '', message: inWords(message) })),
      );
    }
    const problems = documents.flatMap((document) => findTraps(document, at));
    if (problems.length > 0) return refuse(problems);
    return { ok: true, documents: documents.flatMap((document) => readDocument(document, at)) };
  } catch (error) {
    // Depth that no check foresaw, or aliases that expand without end.
    if (error instanceof RangeError) return refuseWhole(tooDeep);
    return refuseWhole(error instanceof Error ? error.message : String(error));
  }
}

/** Duplicate keys are found here: the parser compares each key with every other, a minute for a long list. */
function parse(text: string, lineCounter: LineCounter): readonly Document[] {
  const { stackTraceLimit } = Error;
  // Garbage has a mistake in every character, and each would carry a stack trace that nobody reads.
  Error.stackTraceLimit = 0;
  try {
    return [
      ...parseAllDocuments(text, { lineCounter, prettyErrors: false, uniqueKeys: false, logLevel: 'error' }),
    ];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The parser reports its own exhaustion as if the text had said it. */
function inWords(message: string): string {
  return message.includes('call stack') ? tooDeep : message.trim();
}

const deepestNesting = 32;
const tooDeep = `is nested more than ${deepestNesting} levels deep`;

/**
 * How many brackets are open at once, those in quotes and remarks included: rough, but before the parser, which takes
 * seconds to find it out.
 */
function deepestBracket(text: string): number {
  let open = 0;
  let deepest = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '[' || character === '{') deepest = Math.max(deepest, (open += 1));
    else if ((character === ']' || character === '}') && open > 0) open -= 1;
  }
  return deepest;
}

function readDocument(document: Document, at: (offset: number) => Where): readonly SourceDocument[] {
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (value === null || value === undefined) return [];
  const offsetAt = (path: readonly PropertyKey[], what: 'key' | 'value'): number => {
    const found = follow(document, path);
    if (what === 'key') return startOf(found.pair?.key) ?? startOf(found.node) ?? 0;
    return startOf(found.node) ?? startOf(found.pair?.key) ?? 0;
  };
  return [
    {
      value,
      whereIs: (path) => at(offsetAt(path, 'value')),
      whereIsKey: (path) => at(offsetAt(path, 'key')),
    },
  ];
}

/** As far along the path as the document goes. */
function follow(document: Document, path: readonly PropertyKey[]): { node: unknown; pair: Pair | undefined } {
  let node: unknown = document.contents;
  let pair: Pair | undefined;
  for (const key of path) {
    const target: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isSeq(target) && typeof key === 'number' && target.items[key] !== undefined) {
      node = target.items[key];
      pair = undefined;
      continue;
    }
    const next = isMap(target) ? target.items.find((item) => keyOf(item) === String(key)) : undefined;
    if (next === undefined) break;
    pair = next;
    node = next.value ?? next.key;
  }
  return { node, pair };
}

/** What the parser lets pass and a reader would regret: a key written twice, a name for nothing, endless nesting. */
function findTraps(document: Document, at: (offset: number) => Where): readonly Problem[] {
  const problems: Problem[] = [];
  const visit = (node: unknown, path: readonly PropertyKey[]): void => {
    if (path.length > deepestNesting) {
      problems.push({ where: at(startOf(node) ?? 0), path: '', message: tooDeep });
    } else if (isAlias(node) && node.resolve(document) === undefined) {
      const message = `refers to *${node.source}, which is not defined above`;
      problems.push({ where: at(startOf(node) ?? 0), path: describePath(path), message });
    } else if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) visit(item, [...path, index]);
    } else if (isMap(node)) {
      const seen = new Set<string>();
      for (const pair of node.items) {
        const key = keyOf(pair);
        const here = [...path, key];
        if (seen.has(key)) {
          const where = at(startOf(pair.key) ?? 0);
          problems.push({ where, path: describePath(here), message: 'is stated twice in the same map' });
        }
        seen.add(key);
        visit(pair.value, here);
      }
    }
  };
  visit(document.contents, []);
  return problems;
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
