/** Is a built-in object of its kind: wrong types are refused, fields that nobody declared are found and left out. */
import { isObject, type Json } from './json.js';
import type { Schema, ScalarType } from './schema.js';

export interface Decoded {
  readonly value: Json;
  /** Paths of fields that the kind does not have. */
  readonly unknown: readonly string[];
  /** The first value of a wrong type, as Go's decoder words it. */
  readonly wrong?: string;
}

export function decode(schema: Schema, value: Json): Decoded {
  const unknown: string[] = [];
  let wrong: string | undefined;
  const complain = (path: string, found: Json, wanted: string): Json => {
    const what = Array.isArray(found) ? 'array' : found === null ? 'null' : typeof found;
    wrong ??= `json: cannot unmarshal ${what === 'boolean' ? 'bool' : what} into Go struct field ${path} of type ${wanted}`;
    return undefined;
  };
  const visit = (of: Schema, here: Json, path: string): Json => {
    if (here === null) return undefined;
    switch (of.is) {
      case 'any':
        return here;
      case 'scalar':
        return fits(of.type, here) ? normal(of.type, here) : complain(path, here, goType[of.type]);
      case 'list':
        if (!Array.isArray(here)) return complain(path, here, 'slice');
        return here.map((item, index) => visit(of.of, item, `${path}[${index}]`) ?? null);
      case 'map':
      case 'struct': {
        if (!isObject(here)) return complain(path, here, of.is === 'map' ? 'map' : 'struct');
        const out: Json = {};
        for (const [key, item] of Object.entries(here)) {
          const field = of.is === 'map' ? of.of : of.fields.get(key);
          const at = path === '' ? key : `${path}.${key}`;
          if (field === undefined) {
            if (of.is === 'struct' && of.open) out[key] = item;
            else unknown.push(at);
            continue;
          }
          const seen = visit(field, item, at);
          if (seen !== undefined) out[key] = seen;
        }
        return out;
      }
    }
  };
  const seen = visit(schema, value, '');
  return { value: seen, unknown, ...(wrong === undefined ? {} : { wrong }) };
}

/** Lists and maps that are empty are not written down, but for those that a kind cannot do without. */
export function withoutEmpty(schema: Schema, value: Json): Json {
  switch (schema.is) {
    case 'list':
      return Array.isArray(value) ? value.map((item) => withoutEmpty(schema.of, item)) : value;
    case 'struct': {
      if (!isObject(value)) return value;
      const out: Json = {};
      for (const [key, item] of Object.entries(value)) {
        const field = schema.fields.get(key);
        const isEmpty =
          (field?.is === 'list' || field?.is === 'map') && Object.keys(item as object).length === 0;
        if (isEmpty && !always.includes(key)) continue;
        out[key] = field === undefined ? item : withoutEmpty(field, item);
      }
      return out;
    }
    case 'any':
    case 'map':
    case 'scalar':
      return value;
  }
}

const always: readonly string[] = ['rules', 'containers', 'items', 'versions', 'conditions'];

const goType: Readonly<Record<ScalarType, string>> = {
  string: 'string',
  boolean: 'bool',
  integer: 'int64',
  number: 'float64',
  time: 'Time',
  intOrString: 'IntOrString',
  quantity: 'Quantity',
};

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function fits(type: ScalarType, value: Json): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'time':
      return typeof value === 'string' && rfc3339.test(value) && !Number.isNaN(Date.parse(value));
    case 'intOrString':
      return typeof value === 'string' || Number.isInteger(value);
    case 'quantity':
      return typeof value === 'string' || typeof value === 'number';
  }
}

const normal = (type: ScalarType, value: Json): Json => (type === 'quantity' ? String(value) : value);
