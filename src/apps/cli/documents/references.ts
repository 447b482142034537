/** What can only be seen across documents: names that are used twice, and problems found after the shape was right. */
import { describePath, describeWhere, type Problem, type Where } from './problem.js';
import type { ReadDocument } from './read-documents.js';

/** A problem at a path of a document. */
export function problemAt(
  { source }: Pick<ReadDocument, 'source'>,
  path: readonly PropertyKey[],
  message: string,
): Problem {
  return { where: source.whereIs(path), path: describePath(path), message };
}

/** The values of the field `what` in the list `spec.<key>` of a document. */
interface Names {
  readonly key: string;
  readonly what: string;
  readonly names: readonly string[];
}

/** Every name that an earlier entry has already, in this document or another one. */
export function duplicates<D extends ReadDocument>(
  documents: readonly D[],
  namesIn: (spec: D['spec']) => Names,
): readonly Problem[] {
  const seen = new Map<string, Where>();
  return documents.flatMap((document) => {
    const { key, what, names } = namesIn(document.spec);
    return names.flatMap((name, index) => {
      const path = ['spec', key, index, what];
      const first = seen.get(name);
      if (first !== undefined) {
        return [problemAt(document, path, `'${name}' is stated twice, first at ${describeWhere(first)}`)];
      }
      seen.set(name, document.source.whereIs(path));
      return [];
    });
  });
}
