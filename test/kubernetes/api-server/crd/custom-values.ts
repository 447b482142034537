/** Custom resources against their structural schema: fields that it does not have are pruned, defaults set, values checked. */
import { copy, drop, equal, isObject, type Json } from '../json.js';
import { forbiddenField, invalidValue, required, tooLong, unsupported, type FieldError } from '../status.js';

const ownFields = ['apiVersion', 'kind', 'metadata'];

/** In place; answers the paths that were pruned. */
export function prune(value: Json, schema: Json, path = '', isRoot = true): readonly string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => prune(item, schema?.items ?? {}, `${path}[${index}]`, false));
  }
  if (!isObject(value)) return [];
  const open = schema?.['x-kubernetes-preserve-unknown-fields'] === true;
  const embedded = isRoot || schema?.['x-kubernetes-embedded-resource'] === true;
  return Object.keys(value).flatMap((key) => {
    const here = path === '' ? key : `${path}.${key}`;
    if (embedded && ownFields.includes(key)) return [];
    const field = schema?.properties?.[key];
    const more = schema?.additionalProperties;
    if (field !== undefined) return prune(value[key], field, here, false);
    if (isObject(more)) return prune(value[key], more, here, false);
    if (open || more === true) return [];
    drop(value, key);
    return [here];
  });
}

/** In place: what is absent gets its default, also within what a default brought. */
export function setCustomDefaults(value: Json, schema: Json): void {
  if (Array.isArray(value)) for (const item of value) setCustomDefaults(item, schema?.items);
  if (!isObject(value)) return;
  for (const [key, field] of Object.entries<Json>(schema?.properties ?? {})) {
    if (
      field.default !== undefined &&
      (value[key] === undefined || (value[key] === null && field.nullable !== true))
    ) {
      value[key] = copy(field.default);
    }
    // A null that may not be one is as good as absent.
    if (value[key] === null && field.nullable !== true) drop(value, key);
    if (value[key] !== undefined) setCustomDefaults(value[key], field);
  }
  if (isObject(schema?.additionalProperties)) {
    for (const [key, item] of Object.entries(value)) {
      if (item === null && schema.additionalProperties.nullable !== true && !schema.properties?.[key])
        drop(value, key);
    }
    for (const item of Object.values(value)) setCustomDefaults(item, schema.additionalProperties);
  }
}

export function customErrors(value: Json, schema: Json, path = '', isRoot = true): readonly FieldError[] {
  if (schema === undefined || schema === null) return [];
  const at = path === '' ? '<nil>' : path;
  const wrong = (why: string): readonly FieldError[] => [invalidValue(at, value, `${at} in body ${why}`)];
  if (value === null)
    return schema.nullable === true
      ? []
      : [invalidValue(at, 'null', `${at} in body must be of type ${String(schema.type)}: "null"`)];
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (typeof value !== 'string' && !Number.isInteger(value)) return wrong('must be of type integer,string');
  } else if (schema.type !== undefined && !hasType(value, schema.type)) {
    const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'boolean' : typeof value;
    const name = found === 'number' && Number.isInteger(value) ? 'integer' : found;
    return [
      invalidValue(at, name, `${at} in body must be of type ${String(schema.type)}: ${JSON.stringify(name)}`),
    ];
  }
  const errors: FieldError[] = [];
  if (schema.enum !== undefined && !schema.enum.some((one: Json) => equal(one, value))) {
    errors.push(unsupported(at, value, schema.enum));
  }
  if (typeof value === 'string') errors.push(...stringErrors(value, schema, at, wrong));
  if (typeof value === 'number') errors.push(...numberErrors(value, schema, wrong));
  if (Array.isArray(value)) errors.push(...listErrors(value, schema, at, path));
  else if (isObject(value)) errors.push(...objectErrors(value, schema, at, path, isRoot));
  for (const part of schema.allOf ?? []) errors.push(...customErrors(value, part, path, isRoot));
  const matching = (list: readonly Json[]): number =>
    list.filter((part) => customErrors(value, part, path, isRoot).length === 0).length;
  if (schema.anyOf !== undefined && matching(schema.anyOf) === 0)
    errors.push(...wrong('must validate at least one schema (anyOf)'));
  if (schema.oneOf !== undefined && matching(schema.oneOf) !== 1) {
    errors.push(...wrong('must validate one and only one schema (oneOf)'));
  }
  if (schema.not !== undefined && matching([schema.not]) === 1)
    errors.push(...wrong('must not validate the schema (not)'));
  return errors;
}

function hasType(value: Json, type: string): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    default:
      return typeof value === type;
  }
}

type Wrong = (why: string) => readonly FieldError[];

function stringErrors(value: string, schema: Json, at: string, wrong: Wrong): readonly FieldError[] {
  const errors: FieldError[] = [];
  const size = Array.from(value).length;
  if (size < schema.minLength)
    errors.push(...wrong(`should be at least ${String(schema.minLength)} chars long`));
  if (size > schema.maxLength)
    errors.push(tooLong(at, `may not be more than ${String(schema.maxLength)} bytes`));
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) {
    errors.push(...wrong(`should match '${String(schema.pattern)}'`));
  }
  if (schema.format === 'date-time' && Number.isNaN(Date.parse(value))) {
    errors.push(...wrong(`must be of type date-time: ${JSON.stringify(value)}`));
  }
  return errors;
}

function numberErrors(value: number, schema: Json, wrong: Wrong): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (exclusiveMinimum === true ? value <= minimum : value < minimum) {
    errors.push(
      ...wrong(`should be greater than ${exclusiveMinimum === true ? '' : 'or equal to '}${String(minimum)}`),
    );
  }
  if (exclusiveMaximum === true ? value >= maximum : value > maximum) {
    errors.push(
      ...wrong(`should be less than ${exclusiveMaximum === true ? '' : 'or equal to '}${String(maximum)}`),
    );
  }
  if (multipleOf !== undefined && value % multipleOf !== 0)
    errors.push(...wrong(`should be a multiple of ${String(multipleOf)}`));
  return errors;
}

function listErrors(value: readonly Json[], schema: Json, at: string, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (value.length < schema.minItems)
    errors.push(
      invalidValue(at, value.length, `${at} in body should have at least ${String(schema.minItems)} items`),
    );
  if (value.length > schema.maxItems) {
    errors.push({
      field: at,
      reason: 'FieldValueTooMany',
      message: `Too many: ${value.length}: must have at most ${String(schema.maxItems)} items`,
    });
  }
  const keys: readonly string[] | undefined = schema['x-kubernetes-list-map-keys'];
  const isSet = schema['x-kubernetes-list-type'] === 'set';
  const seen = new Set<string>();
  value.forEach((item, index) => {
    errors.push(...customErrors(item, schema.items, `${path}[${index}]`, false));
    if (keys === undefined && !isSet) return;
    const identity = isSet ? item : Object.fromEntries((keys ?? []).map((key) => [key, item[key]]));
    const text = JSON.stringify(identity);
    if (seen.has(text)) {
      errors.push({
        field: `${at}[${index}]`,
        reason: 'FieldValueDuplicate',
        message: `Duplicate value: ${text}`,
      });
    }
    seen.add(text);
  });
  return errors;
}

function objectErrors(
  value: Json,
  schema: Json,
  at: string,
  path: string,
  isRoot: boolean,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const below = (key: string): string => (path === '' ? key : `${path}.${key}`);
  for (const key of schema.required ?? []) if (value[key] === undefined) errors.push(required(below(key)));
  const size = Object.keys(value).length;
  if (size < schema.minProperties)
    errors.push(
      invalidValue(at, size, `${at} in body should have at least ${String(schema.minProperties)} properties`),
    );
  if (size > schema.maxProperties)
    errors.push(forbiddenField(at, `must have at most ${String(schema.maxProperties)} properties`));
  for (const [key, item] of Object.entries(value)) {
    if (isRoot && ownFields.includes(key)) continue;
    const field =
      schema.properties?.[key] ??
      (isObject(schema.additionalProperties) ? schema.additionalProperties : undefined);
    errors.push(...customErrors(item, field, below(key), false));
  }
  return errors;
}
