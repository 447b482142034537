/** Edits of a document's text that touch only the lines they are about: all others stay as they are, to the byte. */
import {
  Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  parseAllDocuments,
  visit,
} from 'yaml';
import type { Pair, YAMLMap, YAMLSeq } from 'yaml';
import type { Edit, Path } from '#core/lint/finding';

/** `null`: the edit cannot be made line by line, as in flow style or where a value stands in two places by reference. */
export function spliced(text: string, edits: readonly Edit[]): string | null {
  let now = text;
  for (const edit of edits) {
    if (edit.kind === 'add-document') continue;
    const document = contentOf(now);
    if (document === undefined || hasAliases(document)) return null;
    const splice = spliceOf(document, now, edit);
    if (splice === null) return null;
    now = now.slice(0, splice.start) + splice.insert + now.slice(splice.end);
  }
  return now;
}

export function contentOf(text: string): Document.Parsed | undefined {
  const all = parseAllDocuments(text, { uniqueKeys: false, keepSourceTokens: true }) as Document.Parsed[];
  return all.find((one) => one.toJS() !== null && one.toJS() !== undefined);
}

export function endOfLineIn(text: string): '\n' | '\r\n' {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

/** Lists stand as far in as the others of the document. */
export function listsStandIn(text: string): boolean {
  return /^( *)[^\s-].*:[ \t]*\r?\n\1 +- /m.test(text);
}

interface Splice {
  readonly start: number;
  readonly end: number;
  readonly insert: string;
}

type LineEdit = Exclude<Edit, { readonly kind: 'add-document' }>;

function hasAliases(document: Document): boolean {
  let found = false;
  visit(document, { Alias: () => ((found = true), visit.BREAK) });
  return found;
}

function spliceOf(document: Document, text: string, edit: LineEdit): Splice | null {
  switch (edit.kind) {
    case 'rename':
      return renamed(document, text, edit.path, edit.key);
    case 'remove':
      return removed(document, text, edit.path);
    case 'set':
      return set(document, text, edit.path, edit.value);
    case 'append': {
      const list = nodeAt(document, edit.path);
      if (list === undefined) return inserted(document, text, edit.path, [edit.value]);
      return isSeq(list) ? appended(text, list, edit.value) : null;
    }
  }
}

function renamed(document: Document, text: string, path: Path, key: string): Splice | null {
  const map = nodeAt(document, path.slice(0, -1));
  if (!isMap(map)) return null;
  if (map.has(key)) return removed(document, text, path);
  const range = rangeOf(pairAt(document, path)?.key);
  if (range === null) return null;
  const quote = /^["']/.exec(text.slice(range.start, range.end))?.[0] ?? '';
  return { ...range, insert: `${quote}${key}${quote}` };
}

function set(document: Document, text: string, path: Path, value: unknown): Splice | null {
  const pair = pairAt(document, path);
  if (pair === undefined) return inserted(document, text, path, value);
  const range = isScalar(pair.value) && pair.value.value !== null ? rangeOf(pair.value) : null;
  if (range === null || text.slice(range.start, range.end).includes('\n')) return null;
  return { ...range, insert: written(value, text).trim() };
}

/** With what around it is empty then. */
function removed(document: Document, text: string, path: Path): Splice | null {
  const around = nodeAt(document, path.slice(0, -1));
  if (isCollection(around) && around.items.length === 1 && path.length > 1)
    return removed(document, text, path.slice(0, -1));
  if (!isCollection(around)) return null;
  const pair = pairAt(document, path);
  if (around.flow === true) return removedInFlow(around.items, pair ?? around.items[Number(path.at(-1))]);
  const node = isSeq(around) ? around.items[Number(path.at(-1))] : pair;
  const first = rangeOf(pair?.key ?? node);
  const end = lastOf(node);
  if (first === null || end === null) return null;
  const start = text.lastIndexOf('\n', first.start - 1) + 1;
  const lead = text.slice(start, first.start);
  if (!(isSeq(around) ? /^[ \t]*-[ \t]+$/ : /^[ \t]*$/).test(lead)) return null;
  return { start, end: lineAfter(text, end), insert: '' };
}

/** With the comma before it, or behind it. */
function removedInFlow(items: readonly unknown[], one: unknown): Splice | null {
  const index = items.indexOf(one);
  const before = items[index - 1];
  const start = before === undefined ? firstOf(one) : lastOf(before);
  const end = before === undefined ? firstOf(items[index + 1]) : lastOf(one);
  return index === -1 || start === null || end === null ? null : { start, end, insert: '' };
}

/** Behind the last of the map that is nearest to it; maps on the way are made. */
function inserted(document: Document, text: string, path: Path, value: unknown): Splice | null {
  let depth = path.length - 1;
  while (depth >= 0 && nodeAt(document, path.slice(0, depth)) === undefined) depth -= 1;
  const map = nodeAt(document, path.slice(0, depth));
  if (!isMap(map)) return null;
  const whole = path.slice(depth).reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  if (map.flow === true) return behindInFlow(map, whole);
  const first = rangeOf(map.items[0]?.key);
  return first === null ? null : behind(text, map, columnOf(text, first.start), whole);
}

function appended(text: string, list: YAMLSeq, value: unknown): Splice | null {
  if (list.flow === true) return behindInFlow(list, [value]);
  const first = rangeOf(list.items[0]);
  if (first === null) return null;
  const start = text.lastIndexOf('\n', first.start - 1) + 1;
  const lead = /^([ \t]*)-[ \t]+$/.exec(text.slice(start, first.start))?.[1];
  return lead === undefined ? null : behind(text, list, lead.length, [value]);
}

function behind(text: string, node: YAMLMap | YAMLSeq, column: number, value: unknown): Splice | null {
  const end = lastOf(node);
  if (end === null) return null;
  const at = lineAfter(text, end);
  const eol = endOfLineIn(text);
  const lines = written(value, text).trimEnd().split('\n');
  const block = lines.map((line) => `${' '.repeat(column)}${line}${eol}`).join('');
  return { start: at, end: at, insert: text[at - 1] === '\n' ? block : `${eol}${block}` };
}

/** `{a: 1, b: 2}` without its braces, behind a comma. */
function behindInFlow(node: YAMLMap | YAMLSeq, value: unknown): Splice | null {
  const at = lastOf(node.items.at(-1));
  const made = new Document(value);
  visit(made, { Collection: (_key, one) => void (one.flow = true) });
  const text = made.toString({ lineWidth: 0, flowCollectionPadding: false }).trim();
  return at === null || text.includes('\n') ? null : { start: at, end: at, insert: `, ${text.slice(1, -1)}` };
}

/** As the document is written: so far in, and its lists too. */
function written(value: unknown, text: string): string {
  const step = /^( *)[^\s#-][^\n]*:[ \t]*\r?\n\1( +)[^\s#-]/m.exec(text)?.[2]?.length ?? 2;
  return new Document(value).toString({ lineWidth: 0, indent: step, indentSeq: listsStandIn(text) });
}

function nodeAt(document: Document, path: Path): unknown {
  return path.length === 0 ? document.contents : document.getIn(path, true);
}

function pairAt(document: Document, path: Path): Pair | undefined {
  const map = nodeAt(document, path.slice(0, -1));
  if (!isMap(map)) return undefined;
  return map.items.find(({ key }) => (isScalar(key) ? key.value : key) === path.at(-1));
}

function rangeOf(node: unknown): { readonly start: number; readonly end: number } | null {
  const range = isNode(node) && !isAlias(node) ? node.range : undefined;
  return range == null ? null : { start: range[0], end: range[1] };
}

function firstOf(one: unknown): number | null {
  return rangeOf(isPair(one) ? one.key : one)?.start ?? null;
}

/** Where the last value in it ends: what the parser counts to a block may be blank lines and remarks behind it. */
function lastOf(node: unknown): number | null {
  if (isPair(node)) {
    const { value } = node;
    const isNothing = value === null || (isScalar(value) && value.value === null && value.source === '');
    return isNothing ? (rangeOf(node.key)?.end ?? null) : lastOf(value);
  }
  if (isCollection(node) && node.flow !== true && node.items.length > 0) return lastOf(node.items.at(-1));
  return rangeOf(node)?.end ?? null;
}

function lineAfter(text: string, end: number): number {
  if (text[end - 1] === '\n') return end;
  const feed = text.indexOf('\n', end);
  return feed === -1 ? text.length : feed + 1;
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}
