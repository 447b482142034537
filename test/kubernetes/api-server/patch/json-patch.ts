/** JSON patch (RFC 6902) on a copy. */
import { copy, drop, equal, isObject, type Json } from '../json.js';

/** Throws an Error that says which operation could not be done. */
export function jsonPatch(target: Json, operations: Json): Json {
  if (!Array.isArray(operations)) throw new Error('a JSON patch is a list of operations');
  let root = copy(target);
  for (const operation of operations) root = step(root, operation);
  return root;
}

function step(root: Json, { op, path, from, value }: Json): Json {
  switch (op) {
    case 'add':
      return place(root, tokens(path), copy(value), true);
    case 'replace':
      read(root, tokens(path), path);
      return place(root, tokens(path), copy(value), false);
    case 'remove':
      return remove(root, tokens(path), path);
    case 'move': {
      const moved = read(root, tokens(from), from);
      return place(remove(root, tokens(from), from), tokens(path), moved, true);
    }
    case 'copy':
      return place(root, tokens(path), copy(read(root, tokens(from), from)), true);
    case 'test':
      if (!equal(find(root, tokens(path)), value))
        throw new Error(`testing value ${String(path)} failed: test failed`);
      return root;
    default:
      throw new Error(`Unexpected kind: ${String(op)}`);
  }
}

function tokens(pointer: Json): readonly string[] {
  if (pointer === '') return [];
  if (typeof pointer !== 'string' || !pointer.startsWith('/'))
    throw new Error(`${String(pointer)} is no JSON pointer`);
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

const find = (root: Json, path: readonly string[]): Json =>
  path.reduce((at: Json, key) => (isObject(at) && !Object.hasOwn(at, key) ? undefined : at?.[key]), root);

function read(root: Json, path: readonly string[], pointer: Json): Json {
  const found = find(root, path);
  if (found === undefined)
    throw new Error(`operation does not apply: doc is missing path: ${String(pointer)}: missing value`);
  return found;
}

function place(root: Json, path: readonly string[], value: Json, insert: boolean): Json {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = find(root, path.slice(0, -1));
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : Number(last);
    if (!Number.isInteger(index) || index < 0 || index > parent.length)
      throw new Error(`Unable to access invalid index: ${last}`);
    parent.splice(index, insert ? 0 : 1, value);
  } else if (isObject(parent)) {
    parent[last] = value;
  } else {
    throw new Error(`operation does not apply: doc is missing path: "/${path.join('/')}": missing value`);
  }
  return root;
}

function remove(root: Json, path: readonly string[], pointer: Json): Json {
  read(root, path, pointer);
  const last = path.at(-1) ?? '';
  const parent = find(root, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else drop(parent, last);
  return root;
}
