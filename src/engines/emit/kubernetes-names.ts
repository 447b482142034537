/** Names that Kubernetes and file systems accept, made from whatever the user called a thing; never two the same. */

import { createHash } from 'node:crypto';

/** Mica's own node label: which card a node carries, by catalogue key. Resource names alone do not tell cards apart. */
export const modelLabel = 'mica/gpu-model';

/** Hands out names that are RFC 1123 labels of at most `longest` characters, each one once. */
export class NameBook {
  readonly #taken = new Set<string>();
  readonly #longest: number;

  constructor(longest = 63) {
    this.#longest = longest;
  }

  /** A name like `wanted`; a second thing with the same name gets `-2`, and so on. */
  take(wanted: string): string {
    const base = labelFrom(wanted, this.#longest);
    for (let copy = 1; ; copy += 1) {
      const ending = copy === 1 ? '' : `-${copy}`;
      const name = trimDashes(base.slice(0, this.#longest - ending.length)) + ending;
      if (this.#taken.has(name)) continue;
      this.#taken.add(name);
      return name;
    }
  }
}

/** The text as an RFC 1123 label: lower-case letters, digits and inner dashes, beginning with a letter. */
export function labelFrom(text: string, longest = 63): string {
  const dashed = trimDashes(text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'));
  const named = /^[a-z]/.test(dashed) ? dashed : trimDashes(`x-${dashed}`);
  return trimDashes(named.slice(0, longest));
}

/**
 * A name that tells its content, as a label value of at most 63 characters. Where it is too long, or where
 * `isUnique` says that other content has it too, a hash of the content takes the end.
 */
export function contentName(name: string, content: unknown, isUnique = true): string {
  const longest = 63;
  if (name.length <= longest && isUnique) return name;
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12);
  return `${name.slice(0, longest - hash.length - 1).replace(/[^a-z0-9]+$/i, '')}-${hash}`;
}

/** True for what a cluster may call a node: an RFC 1123 subdomain. */
export function isNodeName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text);
}

/** A profile where `+` is not allowed: label values, resource names, names of configurations. */
export function dotted(profile: string): string {
  return profile.replaceAll('+', '.');
}

function trimDashes(text: string): string {
  return text.replaceAll(/^-+|-+$/g, '');
}
