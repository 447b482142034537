/** managedFields: who owns what after an update, and what a server-side apply does to an object. */
import { copy, drop, equal, isObject, type Json } from '../json.js';
import { child, type Schema } from '../schema.js';
import { ApiError } from '../status.js';
import {
  elements,
  fieldValues,
  fromFieldsV1,
  isWithin,
  itemElement,
  ownable,
  pathText,
  toFieldsV1,
  type FieldSet,
  type Path,
} from './field-set.js';

export interface Writer {
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource: string;
  /** Writes to the object itself leave its status alone. */
  readonly hasStatus: boolean;
  readonly time: string;
}

interface Entry {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  readonly set: Set<Path>;
}

function readEntries(managedFields: Json): Entry[] {
  return (managedFields ?? []).map((one: Json) => ({
    manager: one.manager ?? '',
    operation: one.operation,
    apiVersion: one.apiVersion,
    subresource: one.subresource ?? '',
    time: one.time,
    set: fromFieldsV1(one.fieldsV1),
  }));
}

function writeEntries(entries: readonly Entry[]): Json {
  return entries
    .filter(({ set }) => set.size > 0)
    .map(({ manager, operation, apiVersion, subresource, time, set }) => ({
      manager,
      operation,
      apiVersion,
      ...(time === '' ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(set),
      ...(subresource === '' ? {} : { subresource }),
    }));
}

/** managedFields of `next` after an update (or create, patch) by this writer. */
export function afterUpdate(old: Json, next: Json, schema: Schema, writer: Writer): Json {
  const entries = readEntries(old?.metadata.managedFields);
  const before = old === undefined ? new Map<Path, string>() : fieldValues(old, schema, true);
  const after = fieldValues(next, schema, true);
  const mine = (path: Path): boolean => ownable(path, writer.subresource, writer.hasStatus);
  const changed = new Set(
    [...after].filter(([path, value]) => before.get(path) !== value && mine(path)).map(([path]) => path),
  );
  const removed = [...before.keys()].filter((path) => !after.has(path));
  if (changed.size === 0 && removed.length === 0) return old?.metadata.managedFields;
  for (const { set } of entries) for (const path of removed) set.delete(path);
  const own = entries.find((one) => isUpdateBy(one, writer));
  for (const one of entries) {
    if (one !== own)
      for (const path of changed) if (before.has(path) && before.get(path) !== '') one.set.delete(path);
  }
  if (changed.size === 0) return writeEntries(entries);
  const set = new Set([...(own?.set ?? []), ...changed]);
  const { manager, apiVersion, subresource, time } = writer;
  const entry: Entry = { manager, apiVersion, subresource, time, operation: 'Update', set };
  return writeEntries([...entries.filter((one) => one !== own), entry]);
}

const isUpdateBy = (one: Entry, writer: Writer): boolean =>
  one.operation === 'Update' &&
  one.manager === writer.manager &&
  one.apiVersion === writer.apiVersion &&
  one.subresource === writer.subresource;

/** The live object (or nothing) with an applied configuration merged into it; its managedFields say who owns what. */
export function applied(live: Json, config: Json, schema: Schema, writer: Writer, force: boolean): Json {
  const allowed = (path: Path): boolean => ownable(path, writer.subresource, writer.hasStatus);
  const wanted = new Set([...fieldValues(config, schema, false).keys()].filter(allowed));
  let entries = readEntries(live?.metadata.managedFields);
  if (live !== undefined && entries.length === 0) {
    const set = new Set([...fieldValues(live, schema, true).keys()].filter((path) => allowed(path)));
    entries = [
      {
        manager: 'before-first-apply',
        operation: 'Update',
        apiVersion: writer.apiVersion,
        subresource: '',
        time: '',
        set,
      },
    ];
  }
  const own = entries.find(
    (one) =>
      one.operation === 'Apply' && one.manager === writer.manager && one.subresource === writer.subresource,
  );
  const others = entries.filter((one) => one !== own);
  let merged = merge(live, config, schema);
  const before = live === undefined ? new Map<Path, string>() : fieldValues(live, schema, false);
  const after = fieldValues(merged, schema, false);
  const changed = new Set([...wanted].filter((path) => before.get(path) !== after.get(path)));
  const conflicts = others.flatMap((one) =>
    [...changed].filter((path) => one.set.has(path)).map((path) => ({ one, path })),
  );
  const mayTakeOver = writer.manager === 'kubectl' ? appliedBefore(live, schema, before) : new Set<Path>();
  const denied = conflicts.filter(({ path }) => !mayTakeOver.has(path));
  if (denied.length > 0 && !force) throw conflictError(denied);
  for (const { one, path } of conflicts) one.set.delete(path);
  merged = prune(
    merged,
    schema,
    own?.set ?? new Set(),
    wanted,
    others.map((one) => one.set),
  );
  const same = own !== undefined && equal(own.set, wanted);
  const { manager, apiVersion, subresource } = writer;
  const time = same && changed.size === 0 ? own.time : writer.time;
  const entry: Entry = { manager, apiVersion, subresource, time, operation: 'Apply', set: wanted };
  const place = own === undefined ? entries.length : entries.indexOf(own);
  merged.metadata.managedFields = writeEntries(entries.toSpliced(place, own === undefined ? 0 : 1, entry));
  return merged;
}

/** What kubectl applied as a client, and nobody changed since: kubectl goes over to applying by the server without a word. */
function appliedBefore(live: Json, schema: Schema, now: ReadonlyMap<Path, string>): ReadonlySet<Path> {
  const text = live?.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'];
  if (text === undefined) return new Set();
  const values = fieldValues(JSON.parse(text), schema, false);
  return new Set([...values].filter(([path, value]) => now.get(path) === value).map(([path]) => path));
}

function conflictError(conflicts: readonly { readonly one: Entry; readonly path: Path }[]): ApiError {
  const told = conflicts.map(({ one, path }) => {
    const sub = one.subresource === '' ? '' : ` with subresource "${one.subresource}"`;
    const using = one.operation === 'Update' ? ` using ${one.apiVersion}` : '';
    return { who: `"${one.manager}"${sub}${using}`, field: pathText(path) };
  });
  const names = [...new Set(told.map(({ who }) => who))];
  const text = names.map((who) => {
    const fields = told.filter((one) => one.who === who).map(({ field }) => field);
    return fields.length === 1
      ? `conflict with ${who}: ${fields[0] ?? ''}`
      : `conflicts with ${who}:\n- ${fields.join('\n- ')}`;
  });
  const count = `Apply failed with ${told.length} conflict${told.length === 1 ? '' : 's'}`;
  return new ApiError(409, 'Conflict', `${count}: ${text.join('\n')}`, {
    causes: told.map(({ who, field }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${who}`,
      field,
    })),
  });
}

function merge(live: Json, config: Json, schema: Schema): Json {
  if (Array.isArray(config)) return mergeList(live, config, schema);
  if (!isObject(config) || !isObject(live)) return copy(config);
  if ((schema.is === 'struct' || schema.is === 'map') && schema.atomic) return copy(config);
  const out = copy(live);
  for (const [key, value] of Object.entries(config)) out[key] = merge(live[key], value, child(schema, key));
  return out;
}

function mergeList(live: Json, config: readonly Json[], schema: Schema): Json {
  if (schema.is !== 'list' || schema.keys.apply === 'atomic' || !Array.isArray(live)) return config.map(copy);
  const { apply } = schema.keys;
  const out = live.map(copy);
  const names = live.map((item) => itemElement(item, apply));
  for (const item of config) {
    const index = names.indexOf(itemElement(item, apply));
    if (index < 0) out.push(copy(item));
    else if (apply !== 'set') out[index] = merge(live[index], item, schema.of);
  }
  return out;
}

/** Fields that the manager applied before and leaves out now go, unless somebody else owns them. */
function prune(
  object: Json,
  schema: Schema,
  last: FieldSet,
  wanted: FieldSet,
  others: readonly FieldSet[],
): Json {
  const kept = (path: Path): boolean => wanted.has(path) || others.some((set) => set.has(path));
  const holds = (set: FieldSet, path: Path): boolean => [...set].some((one) => isWithin(one, path));
  const gone = [...last]
    .filter((path) => !kept(path) && !holds(wanted, path) && !others.some((set) => holds(set, path)))
    .sort((left, right) => elements(right).length - elements(left).length);
  for (const path of gone) removeAt(object, schema, elements(path));
  return object;
}

function removeAt(object: Json, schema: Schema, path: readonly string[]): void {
  const [first = '', ...rest] = path;
  if (Array.isArray(object)) {
    const keys = schema.is === 'list' ? schema.keys.apply : 'atomic';
    const index = object.findIndex((item) => itemElement(item, keys) === first);
    if (index < 0) return;
    if (rest.length === 0) object.splice(index, 1);
    else removeAt(object[index], child(schema, ''), rest);
    return;
  }
  const key = first.slice(2);
  if (!isObject(object) || !(key in object)) return;
  if (rest.length === 0) drop(object, key);
  else {
    removeAt(object[key], child(schema, key), rest);
    // A map or list that held nothing but what was taken away goes with it.
    const held = object[key];
    const empty = Array.isArray(held) ? held.length === 0 : isObject(held) && Object.keys(held).length === 0;
    if (empty && child(schema, key).is !== 'struct') drop(object, key);
  }
}
