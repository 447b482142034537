/** What etcd is for the real one: versioned objects, a history that can be compacted, and who watches it. */
import { drop, freeze, without, type Json } from './json.js';
import { expired } from './status.js';

export class Stored {
  readonly key: string;
  readonly object: Json;
  readonly version: number;
  private text: string | undefined;
  private bareText: string | undefined;

  constructor(key: string, object: Json, version: number) {
    this.key = key;
    this.object = freeze(object);
    this.version = version;
  }

  /** Written once, however many lists and watches send it. */
  get json(): string {
    return (this.text ??= JSON.stringify(this.object));
  }

  /** As an item of a list of a built-in kind, which does not repeat its kind. */
  get bare(): string {
    return (this.bareText ??= JSON.stringify(without(this.object, 'apiVersion', 'kind')));
  }
}

export interface Change {
  readonly version: number;
  readonly now: Stored | undefined;
  readonly before: Stored | undefined;
  /** What a watcher is sent, by the form it asked for. */
  readonly lines: Map<string, Buffer>;
  /** A deleted object as it was last, with the version of its deletion. */
  readonly last: Stored;
}

export class Collection {
  readonly items = new Map<string, Stored>();
  readonly changes: Change[] = [];
  readonly watchers = new Set<(change: Change) => void>();
  private sorted: string[] = [];
  private tidy = true;

  /** Keys of a namespace (or all) after a key, in etcd's order. */
  keys(prefix: string, after = ''): readonly string[] {
    if (!this.tidy) {
      this.sorted = [...this.items.keys()].sort((left, right) => (left < right ? -1 : 1));
      this.tidy = true;
    }
    if (prefix === '' && after === '') return this.sorted;
    const start = after === '' ? this.place(prefix) : this.place(`${after}\u0000`);
    return this.sorted.slice(start, prefix === '' ? undefined : this.place(`${prefix}\uffff`));
  }

  set(key: string, next: Stored | undefined): void {
    const isNew = !this.items.has(key);
    if (next === undefined) this.items.delete(key);
    else this.items.set(key, next);
    if (!this.tidy || (!isNew && next !== undefined)) return;
    if (this.sorted.length > 1000 && isNew && key > (this.sorted.at(-1) ?? '')) this.sorted.push(key);
    else if (isNew) this.sorted.splice(this.place(key), 0, key);
    else this.sorted.splice(this.place(key), 1);
  }

  /** Many keys at once are sorted when they are next asked for. */
  untidy(): void {
    this.tidy = false;
  }

  private place(key: string): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** History beyond this many changes of one resource is forgotten, as etcd's is after five minutes. */
const historyLimit = 100_000;

export class Store {
  version = 1;
  /** Nothing at or before this version can be watched or listed exactly. */
  compacted = 0;
  private readonly collections = new Map<string, Collection>();
  private readonly listeners: ((where: string, change: Change) => void)[] = [];

  of(where: string): Collection {
    let found = this.collections.get(where);
    if (found === undefined) this.collections.set(where, (found = new Collection()));
    return found;
  }

  all(): IterableIterator<[string, Collection]> {
    return this.collections.entries();
  }

  onChange(listener: (where: string, change: Change) => void): void {
    this.listeners.push(listener);
  }

  /** Stores an object (which must be nobody else's) under the next version, or removes it. */
  commit(where: string, key: string, object: Json): Stored | undefined {
    const collection = this.of(where);
    const before = collection.items.get(key);
    this.version += 1;
    const version = this.version;
    const stamped = (from: Json): Stored =>
      new Stored(key, { ...from, metadata: { ...from.metadata, resourceVersion: String(version) } }, version);
    const now = object === undefined ? undefined : stamped(object);
    const last = now ?? (before === undefined ? undefined : stamped(before.object));
    if (last === undefined) return undefined;
    collection.set(key, now);
    const change: Change = { version, now, before, last, lines: new Map() };
    collection.changes.push(change);
    if (collection.changes.length > historyLimit) {
      this.compacted = Math.max(this.compacted, collection.changes[historyLimit / 2]!.version);
      collection.changes.splice(0, historyLimit / 2 + 1);
    }
    for (const listener of this.listeners) listener(where, change);
    for (const watcher of collection.watchers) watcher(change);
    return now ?? last;
  }

  /** Many objects at once, sorted when they are next listed. */
  seed(where: string, objects: readonly (readonly [key: string, object: Json])[]): void {
    this.of(where).untidy();
    for (const [key, object] of objects) this.commit(where, key, object);
  }

  compact(): void {
    this.version += 1;
    this.compacted = this.version - 1;
    for (const collection of this.collections.values()) collection.changes.length = 0;
  }

  since(where: string, version: number): readonly Change[] {
    const { changes } = this.of(where);
    let start = changes.length;
    while (start > 0 && changes[start - 1]!.version > version) start -= 1;
    return changes.slice(start);
  }

  /** Objects in key order as they were at a version, from after a key. */
  snapshot(where: string, prefix: string, version: number, after: string): readonly Stored[] {
    if (version < this.compacted) {
      throw expired(`The resourceVersion for the provided list is too old.`);
    }
    const collection = this.of(where);
    const later = this.since(where, version);
    const keys = collection.keys(prefix, after);
    if (later.length === 0) return keys.map((key) => collection.items.get(key)!);
    const past = new Map<string, Stored | undefined>();
    for (const change of later) if (!past.has(change.last.key)) past.set(change.last.key, change.before);
    const wanted = new Set(keys);
    for (const [key, stored] of past) {
      if (stored === undefined) wanted.delete(key);
      else if (key.startsWith(prefix) && (after === '' || key > after)) wanted.add(key);
    }
    return [...wanted]
      .sort((left, right) => (left < right ? -1 : 1))
      .map((key) => (past.has(key) ? past.get(key)! : collection.items.get(key)!));
  }
}

export function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** An object without what the store gives it. */
export function unversioned(object: Json): Json {
  const metadata = { ...object.metadata };
  drop(metadata, 'resourceVersion');
  return { ...object, metadata };
}
