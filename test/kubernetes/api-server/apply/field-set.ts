/** Which fields somebody owns: a set of paths, written as the `fieldsV1` of managedFields. */
import { isObject, type Json } from '../json.js';
import { keyDefaults } from '../merge-keys.js';
import type { Schema } from '../schema.js';

/** Path elements as fieldsV1 writes them (`f:spec`, `k:{"name":"a"}`, `v:"x"`), with a separator that no name has. */
export type Path = string;
export type FieldSet = ReadonlySet<Path>;
const separator = '\u0001';

export const elements = (path: Path): readonly string[] => path.split(separator);
export const isWithin = (path: Path, parent: Path): boolean => path.startsWith(`${parent}${separator}`);
const join = (parent: Path, element: string): Path =>
  parent === '' ? element : `${parent}${separator}${element}`;

/** Every field with its value as text. Containers count too where `containers` says so, or where they are list items. */
export function fieldValues(object: Json, schema: Schema, containers: boolean): Map<Path, string> {
  const found = new Map<Path, string>();
  const leaf = (path: Path, value: Json): void => void found.set(path, JSON.stringify(value));
  const walk = (value: Json, of: Schema, path: Path): void => {
    if (Array.isArray(value)) {
      list(value, of, path);
      return;
    }
    if (!isObject(value) || Object.keys(value).length === 0) {
      leaf(path, value);
      return;
    }
    if ((of.is === 'struct' || of.is === 'map') && of.atomic) {
      leaf(path, value);
      return;
    }
    if (containers && of.is === 'map') found.set(path, '');
    for (const [key, item] of Object.entries(value)) {
      const here = join(path, `f:${key}`);
      const declared = of.is === 'struct' ? of.fields.get(key) : of.is === 'map' ? of.of : undefined;
      if (of.is !== 'struct' && isObject(item)) found.set(here, '');
      walk(item, declared ?? { is: 'any' }, here);
    }
  };
  const list = (items: readonly Json[], of: Schema, path: Path): void => {
    if (of.is !== 'list' || of.keys.apply === 'atomic' || items.length === 0) {
      leaf(path, items);
      return;
    }
    if (containers) found.set(path, '');
    for (const item of items) {
      const here = join(path, itemElement(item, of.keys.apply));
      if (of.keys.apply === 'set') leaf(here, item);
      else {
        found.set(here, '');
        walk(item, of.of, here);
      }
    }
  };
  for (const [key, item] of Object.entries(object)) {
    walk(
      item,
      schema.is === 'struct' ? (schema.fields.get(key) ?? { is: 'any' }) : { is: 'any' },
      `f:${key}`,
    );
  }
  return found;
}

export function itemElement(item: Json, keys: readonly string[] | 'set' | 'atomic'): string {
  if (typeof keys === 'string') return `v:${JSON.stringify(item)}`;
  const present = [...keys].sort().flatMap((key) => {
    const value = item?.[key] ?? keyDefaults[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return `k:${JSON.stringify(Object.fromEntries(present))}`;
}

export function toFieldsV1(set: FieldSet): Json {
  const root: Json = {};
  for (const path of [...set].sort()) {
    let at = root;
    for (const element of elements(path)) at = at[element] ??= {};
    at['.'] = {};
  }
  const tidy = (node: Json): Json => {
    const keys = Object.keys(node);
    if (keys.length === 1 && keys[0] === '.') return {};
    return Object.fromEntries(keys.map((key) => [key, key === '.' ? {} : tidy(node[key])]));
  };
  return tidy(root);
}

export function fromFieldsV1(fields: Json): Set<Path> {
  const found = new Set<Path>();
  const walk = (node: Json, path: Path): void => {
    const keys = Object.keys(node);
    if (path !== '' && (keys.length === 0 || keys.includes('.'))) found.add(path);
    for (const key of keys) if (key !== '.') walk(node[key], join(path, key));
  };
  walk(fields ?? {}, '');
  return found;
}

/** `.spec.containers[name="a"].image`, as conflicts are told. */
export function pathText(path: Path): string {
  return elements(path)
    .map((element) => {
      const rest = element.slice(2);
      if (element.startsWith('f:')) return `.${rest}`;
      if (element.startsWith('v:')) return `[=${rest}]`;
      const keys = Object.entries(JSON.parse(rest)).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
      return `[${keys.join(',')}]`;
    })
    .join('');
}

const untracked = new Set(
  ['f:apiVersion', 'f:kind'].concat(
    [
      'name',
      'namespace',
      'uid',
      'resourceVersion',
      'generation',
      'creationTimestamp',
      'managedFields',
      'selfLink',
    ].map((name) => `f:metadata${separator}f:${name}`),
  ),
);
const root = (path: Path): string => elements(path)[0] ?? '';

/** What a request through this endpoint can own: never identity, and of spec and status only its own side. */
export function ownable(path: Path, subresource: string, hasStatus: boolean): boolean {
  if (untracked.has(path) || isWithin(path, `f:metadata${separator}f:managedFields`)) return false;
  if (subresource === 'status') return root(path) === 'f:status' || root(path) === 'f:metadata';
  return !hasStatus || root(path) !== 'f:status';
}
