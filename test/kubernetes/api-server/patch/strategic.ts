/** Strategic merge patch: lists of built-in kinds merge by their keys, and directives say what goes. */
import { copy, drop, equal, isObject, type Json } from '../json.js';
import { child, type Schema } from '../schema.js';

const directive = /^\$(setElementOrder|deleteFromPrimitiveList)\/(.*)$/;

export function strategicMerge(target: Json, patch: Json, schema: Schema): Json {
  if (!isObject(patch)) return copy(patch);
  if (patch.$patch === 'delete') return {};
  if (patch.$patch === 'replace') return plain(patch);
  const out = isObject(target) ? copy(target) : {};
  for (const [key, value] of Object.entries<Json>(patch)) {
    if (key.startsWith('$')) continue;
    const of = child(schema, key);
    if (value === null) drop(out, key);
    else if (Array.isArray(value)) out[key] = mergeList(out[key], value, of);
    else if (isObject(value)) out[key] = strategicMerge(out[key], value, of);
    else out[key] = value;
  }
  if (Array.isArray(patch.$retainKeys)) {
    for (const key of Object.keys(out)) if (!patch.$retainKeys.includes(key)) drop(out, key);
  }
  for (const [key, value] of Object.entries<Json>(patch)) {
    const found = directive.exec(key);
    const field = found?.[2] ?? '';
    if (found === null || !Array.isArray(out[field])) continue;
    if (found[1] === 'deleteFromPrimitiveList') {
      out[field] = out[field].filter((item: Json) => !value.some((gone: Json) => equal(item, gone)));
    } else {
      out[field] = inOrder(out[field], value, child(schema, field));
    }
  }
  return out;
}

function plain(value: Json): Json {
  const out = copy(value);
  drop(out, '$patch');
  return out;
}

function mergeList(target: Json, patch: readonly Json[], schema: Schema): Json {
  const how = schema.is === 'list' ? schema.keys.patch : 'replace';
  const old: readonly Json[] = Array.isArray(target) ? target : [];
  if (how === 'replace') return patch.map(copy);
  if (how === 'merge')
    return [...old, ...patch.filter((item) => !old.some((one) => equal(one, item)))].map(copy);
  if (patch.some((item) => item?.$patch === 'replace')) {
    return patch.filter((item) => item.$patch !== 'replace').map(copy);
  }
  const out = old.map(copy);
  for (const item of patch) {
    const wanted = item?.[how.key];
    if (wanted === undefined)
      throw new Error(`map: ${JSON.stringify(item)} does not contain declared merge key: ${how.key}`);
    const index = out.findIndex((one) => equal(one[how.key], wanted));
    if (item.$patch === 'delete') {
      if (index >= 0) out.splice(index, 1);
    } else if (index < 0) {
      out.push(strategicMerge({}, item, child(schema, '')));
    } else {
      out[index] = strategicMerge(out[index], item, child(schema, ''));
    }
  }
  return out;
}

/** Items that the order names come in that order; those it does not know keep their places after them. */
function inOrder(items: readonly Json[], order: readonly Json[], schema: Schema): readonly Json[] {
  const how = schema.is === 'list' ? schema.keys.patch : 'replace';
  const keyOf = (item: Json): Json => (typeof how === 'object' ? item?.[how.key] : item);
  const places = order.map(keyOf);
  const place = (item: Json): number => {
    const index = places.findIndex((one) => equal(one, keyOf(item)));
    return index < 0 ? places.length : index;
  };
  return [...items].sort((left, right) => place(left) - place(right));
}
