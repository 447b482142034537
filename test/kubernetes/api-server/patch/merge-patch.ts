/** JSON merge patch (RFC 7396): null takes away, lists are replaced. */
import { copy, drop, isObject, type Json } from '../json.js';

export function mergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return copy(patch);
  const out = isObject(target) ? copy(target) : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) drop(out, key);
    else out[key] = mergePatch(out[key], value);
  }
  return out;
}
