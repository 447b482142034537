/** Values as YAML that every reader takes the same way, with comments on top that no name can break out of. */
import { Document, isScalar, Scalar, visit, type YAMLSeq } from 'yaml';
import { oneLine } from './shell-text.js';

/** The documents in order, parted by `---`; each may carry comment lines above it. */
export function yamlFile(
  documents: readonly { readonly comment?: readonly string[]; readonly value: unknown }[],
): string {
  return documents
    .map(
      ({ comment = [], value }) =>
        comment.map((line) => `# ${oneLine(line)}`.trimEnd() + '\n').join('') + yamlText(value),
    )
    .join('---\n');
}

/**
 * One document. Kubernetes reads YAML 1.1 and 1.2 mixed, where `yes`, `0o17` or `1_000` may not be text: whatever is
 * not plainly a word is quoted, keys too.
 */
export function yamlText(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      if (isScalar(node) && typeof node.value === 'string') node.type = styleOf(node.value);
    },
    Seq(_, node) {
      node.flow = fitsOneLine(node);
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

const plainWord = /^[A-Za-z][\w./=-]*$/;
const wordWithMeaning = /^(y|n|yes|no|on|off|true|false|null)$/i;

function styleOf(text: string): Scalar.Type {
  if (text.includes('\n') && !/[^\P{Cc}\n]/u.test(text)) return Scalar.BLOCK_LITERAL;
  return plainWord.test(text) && !wordWithMeaning.test(text) ? Scalar.PLAIN : Scalar.QUOTE_DOUBLE;
}

/** Short lists read better as `[0, 1]`. */
function fitsOneLine({ items }: YAMLSeq): boolean {
  return items.length <= 8 && items.every((item) => isScalar(item) && String(item.value).length <= 24);
}
