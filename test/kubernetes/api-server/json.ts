/** JSON as it comes off the wire. Objects in the store are frozen, so that every change is a new object. */
import { isDeepStrictEqual } from 'node:util';

/** Whatever JSON.parse gives: the API server looks at fields of kinds that only a schema knows. */
export type Json = ReturnType<typeof JSON.parse>;

export function isObject(value: Json): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy that may be changed. */
export function copy(value: Json): Json {
  if (Array.isArray(value)) return value.map(copy);
  if (!isObject(value)) return value;
  const out: Json = {};
  for (const key of Object.keys(value)) if (value[key] !== undefined) out[key] = copy(value[key]);
  return out;
}

export function freeze(value: Json): Json {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const key of Object.keys(value)) freeze(value[key]);
  return Object.freeze(value);
}

export const equal = (left: Json, right: Json): boolean => isDeepStrictEqual(left, right);

export function without(value: Json, ...keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([key]) => !keys.includes(key)));
}

/** Takes a field away in place. */
export function drop(value: Json, key: string): void {
  Reflect.deleteProperty(value, key);
}

/** Fields that are `undefined` are as good as absent; an empty object is kept. */
export function compact(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}
