/** Makes the edits of findings in the text of a file. Documents without any stay as they are, to the byte. */
import { Document, isMap, isNode, isSeq, parseAllDocuments, visit } from 'yaml';
import type { Edit, Path } from '#core/lint/finding';
import { contentOf, endOfLineIn, listsStandIn, spliced } from './splice.js';

/** `at`: the place of the document among those of the file that hold something. */
export function mended(text: string, at: number, edits: readonly Edit[]): string {
  if (text.trimStart().startsWith('{')) return mendedJson(text, edits);
  // Keys written twice were refused when the file was read.
  const documents = [...parseAllDocuments(text, { uniqueKeys: false, keepSourceTokens: true })];
  const there = new Set(documents.map((document) => JSON.stringify(document.toJS())));
  const news = edits.filter((edit) => edit.kind !== 'add-document' || !there.has(JSON.stringify(edit.value)));
  const pieces: string[] = [];
  let place = 0;
  let begin = 0;
  for (const document of documents) {
    const end = document.range[2];
    const before = text.slice(begin, end);
    begin = end;
    if (document.toJS() === null || document.toJS() === undefined) {
      pieces.push(before);
      continue;
    }
    pieces.push(place === at ? edited(document, news, before) : before);
    place += 1;
  }
  return pieces.join('') + text.slice(begin);
}

/** Line by line where that can be done and says the same; else the document is written anew. */
function edited(document: Document.Parsed, edits: readonly Edit[], before: string): string {
  withoutAliases(document);
  for (const edit of edits) apply(document, edit);
  const eol = endOfLineIn(before);
  const wanted = JSON.stringify(document.toJS());
  const inPlace = spliced(before, edits);
  const isRight = inPlace !== null && JSON.stringify(contentOf(inPlace)?.toJS()) === wanted;
  const body = isRight ? inPlace : writtenAnew(document, before).replace(/\r?\n/g, eol);
  const added = edits.flatMap((edit) => {
    if (edit.kind !== 'add-document') return [];
    return [`---\n${new Document(edit.value).toString({ lineWidth: 0 })}`.replaceAll('\n', eol)];
  });
  return [body, ...added].join(added.length > 0 && !body.endsWith('\n') ? eol : '');
}

/** Long lines are not folded, and lists stand as far in as they did. */
function writtenAnew(document: Document.Parsed, before: string): string {
  const text = document.toString({
    lineWidth: 0,
    indentSeq: listsStandIn(before),
    flowCollectionPadding: !/[[{][^\s\]}]/.test(before),
  });
  const isFirst = !/^(%|---)/m.test(before.trimStart().slice(0, 3));
  return isFirst || text.startsWith('---') ? text : `---\n${text}`;
}

/** What stands in two places by reference is changed in one. */
function withoutAliases(document: Document.Parsed): void {
  visit(document, {
    Alias: (_key, alias) => {
      const node = alias.resolve(document)?.clone();
      return isNode(node) ? node : undefined;
    },
  });
  visit(document, {
    Node: (_key, node) => {
      if ('anchor' in node) delete node.anchor;
    },
  });
}

function apply(document: Document, edit: Edit): void {
  switch (edit.kind) {
    case 'set':
      makeWay(document, edit.path);
      document.setIn(edit.path, document.createNode(edit.value));
      return;
    case 'remove':
      removeIn(document, edit.path);
      return;
    case 'rename':
      renameIn(document, edit.path, edit.key);
      return;
    case 'append': {
      const list = document.getIn(edit.path);
      if (isSeq(list)) list.add(document.createNode(edit.value));
      else {
        makeWay(document, edit.path);
        document.setIn(edit.path, document.createNode([edit.value]));
      }
      return;
    }
    case 'add-document':
      return;
  }
}

/** A key with nothing behind it, or with what cannot be there, becomes a map. */
function makeWay(document: Document, path: Path): void {
  for (const [index, key] of path.entries()) {
    const around = path.slice(0, index);
    const node = document.getIn(around);
    const isOnTheWay = isMap(node) || (isSeq(node) && typeof key === 'number');
    if (node !== undefined && !isOnTheWay) document.setIn(around, document.createNode({}));
  }
}

/** With what around it is empty then. */
function removeIn(document: Document, path: Path): void {
  document.deleteIn(path);
  const around = path.slice(0, -1);
  const rest = document.getIn(around);
  const isEmpty = (isMap(rest) || isSeq(rest)) && rest.items.length === 0;
  if (around.length > 0 && isEmpty) removeIn(document, around);
}

/** The comments of the pair stay with it. A second key of that name is one too many. */
function renameIn(document: Document, path: Path, key: string): void {
  const map = document.getIn(path.slice(0, -1));
  const old = path.at(-1);
  if (!isMap(map)) return;
  if (map.has(key)) {
    map.delete(old);
    return;
  }
  const pair = map.items.find((one) => nameOfKey(one.key) === old);
  if (pair !== undefined) pair.key = document.createNode(key);
}

function nameOfKey(key: unknown): unknown {
  return typeof key === 'object' && key !== null && 'value' in key ? key.value : key;
}

function mendedJson(text: string, edits: readonly Edit[]): string {
  const [document] = parseAllDocuments(text) as readonly Document.Parsed[];
  if (edits.length === 0 || document === undefined) return text;
  for (const edit of edits) apply(document, edit);
  const indent = /\n( +)"/.exec(text)?.[1]?.length ?? 0;
  return `${JSON.stringify(document.toJS(), null, indent)}\n`;
}
