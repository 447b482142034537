/** HTML in which text cannot become markup: whatever is put into a template is escaped, unless it is a template too. */
import { visible } from '../visible.js';

export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | null | Markup | readonly Part[];

/** `` html`<b>${name}</b>` ``; `null` is nothing, a list is its parts one after another. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const pieces = compacted(strings);
  let text = pieces[0] ?? '';
  for (const [index, part] of parts.entries()) text += write(part) + (pieces[index + 1] ?? '');
  return new Markup(text);
}

/** Safe as text and in quoted attributes. What would turn the text around or has no glyph is shown by its number. */
export function escaped(text: string): string {
  return visible(shortened(text).replaceAll('\r', '\n')).replace(/[&<>"']/g, (sign) => entities[sign] ?? '');
}

const compact = new WeakMap<TemplateStringsArray, readonly string[]>();

/** Without the indentation that is there for readers of the source: it would be half of the file. */
function compacted(strings: TemplateStringsArray): readonly string[] {
  let pieces = compact.get(strings);
  if (pieces === undefined) {
    pieces = strings.map((piece) => piece.replace(/\s*\n\s*/g, '\n'));
    compact.set(strings, pieces);
  }
  return pieces;
}

function write(part: Part): string {
  if (part === null) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(write).join('');
  return escaped(String(part));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** The longest text that a report has room for: names come from outside. */
const mostLetters = 600;

function shortened(text: string): string {
  return text.length <= mostLetters ? text : `${text.slice(0, mostLetters)}…`;
}
