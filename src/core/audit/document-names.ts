/** Names that documents accept, made from what a cluster calls a thing; never two the same. */

/** Of a name in a document: letters, digits, dots, dashes and underscores, a letter or digit at both ends. */
const longest = 63;

export class DocumentNames {
  readonly #taken = new Set<string>();
  readonly #copies = new Map<string, number>();

  /** A name like `wanted`; the second thing of that name gets `-2`, and so on. */
  take(wanted: string): string {
    const base = trimmed(wanted.replaceAll(/[^A-Za-z0-9._-]+/g, '-')).slice(0, longest) || 'unnamed';
    let copy = this.#copies.get(base) ?? 0;
    for (;;) {
      copy += 1;
      const ending = copy === 1 ? '' : `-${copy}`;
      const name = `${trimmed(base.slice(0, longest - ending.length))}${ending}`;
      if (this.#taken.has(name)) continue;
      this.#taken.add(name);
      this.#copies.set(base, copy);
      return name;
    }
  }
}

function trimmed(text: string): string {
  return text.replaceAll(/^[._-]+|[._-]+$/g, '');
}
