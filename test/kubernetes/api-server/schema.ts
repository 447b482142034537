/** What fields a kind has and how its lists merge: from the models of the Kubernetes client, or from a CRD. */
import * as models from '@kubernetes/client-node';
import type { Json } from './json.js';
import { atomicTypes, listKeys, type ListKeys } from './merge-keys.js';

export type ScalarType = 'string' | 'boolean' | 'integer' | 'number' | 'time' | 'intOrString' | 'quantity';

export type Schema =
  | {
      readonly is: 'struct';
      readonly fields: ReadonlyMap<string, Schema>;
      readonly atomic: boolean;
      readonly open: boolean;
    }
  | { readonly is: 'map'; readonly of: Schema; readonly atomic: boolean }
  | { readonly is: 'list'; readonly of: Schema; readonly keys: ListKeys }
  | { readonly is: 'scalar'; readonly type: ScalarType }
  | { readonly is: 'any' };

const any: Schema = { is: 'any' };
const scalar = (type: ScalarType): Schema => ({ is: 'scalar', type });
const atomicList: ListKeys = { apply: 'atomic', patch: 'replace' };

interface Attribute {
  readonly baseName: string;
  readonly type: string;
  readonly format: string;
}

/** Fields whose numbers are quantities: Kubernetes takes `cpu: 1` there and stores "1". */
const quantityMaps = new Set(['limits', 'requests', 'capacity', 'allocatable', 'hard', 'used', 'overhead']);

const known = new Map<string, Schema>();

/** The fields of a built-in type, each looked up when it is first asked for: some types contain themselves. */
export function modelSchema(name: string): Schema {
  const found = known.get(name);
  if (found !== undefined) return found;
  const model: Json = (models as Json)[name];
  if (model?.getAttributeTypeMap === undefined) return any;
  const fields = new Map<string, Schema>();
  const schema: Schema = { is: 'struct', fields, atomic: atomicTypes.has(name), open: false };
  known.set(name, schema);
  for (const attribute of model.getAttributeTypeMap() as readonly Attribute[]) {
    fields.set(attribute.baseName, attributeSchema(name, attribute));
  }
  return schema;
}

function attributeSchema(owner: string, { baseName, type, format }: Attribute): Schema {
  const list = /^Array<(.*)>$/.exec(type);
  if (list !== null) {
    const of = attributeSchema(owner, { baseName: '', type: list[1] ?? '', format });
    return { is: 'list', of, keys: listKeys(owner, baseName) ?? atomicList };
  }
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map !== null) {
    const of = quantityMaps.has(baseName)
      ? scalar('quantity')
      : attributeSchema(owner, { baseName: '', type: map[1] ?? '', format });
    return {
      is: 'map',
      of,
      atomic: baseName === 'nodeSelector' || (baseName === 'matchLabels' && owner !== ''),
    };
  }
  switch (type) {
    case 'string':
      return scalar('string');
    case 'boolean':
      return scalar('boolean');
    case 'number':
      return scalar(format === 'double' ? 'number' : 'integer');
    case 'Date':
    case 'V1MicroTime':
      return scalar('time');
    case 'IntOrString':
      return scalar('intOrString');
    case 'any':
      return any;
    default:
      return modelSchema(type);
  }
}

/** The schema of a custom resource's version, for merging; its values are checked in crd/. */
export function customSchema(schema: Json): Schema {
  const root = openApiSchema(schema);
  if (root.is !== 'struct') return root;
  const fields = new Map(root.fields);
  fields.set('apiVersion', scalar('string')).set('kind', scalar('string'));
  fields.set('metadata', modelSchema('V1ObjectMeta'));
  return { ...root, fields };
}

function openApiSchema(schema: Json): Schema {
  if (schema?.['x-kubernetes-int-or-string'] === true) return scalar('intOrString');
  switch (schema?.type) {
    case 'object':
      return objectSchema(schema);
    case 'array': {
      const kind = schema['x-kubernetes-list-type'];
      const apply = kind === 'map' ? schema['x-kubernetes-list-map-keys'] : kind === 'set' ? 'set' : 'atomic';
      return { is: 'list', of: openApiSchema(schema.items), keys: { apply, patch: 'replace' } };
    }
    case 'integer':
    case 'number':
    case 'boolean':
    case 'string':
      return scalar(schema.type);
    default:
      return any;
  }
}

function objectSchema(schema: Json): Schema {
  const atomic = schema['x-kubernetes-map-type'] === 'atomic';
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (schema.properties === undefined && typeof schema.additionalProperties === 'object') {
    return { is: 'map', of: openApiSchema(schema.additionalProperties), atomic };
  }
  const fields = new Map<string, Schema>();
  for (const [name, of] of Object.entries(schema.properties ?? {})) fields.set(name, openApiSchema(of));
  return { is: 'struct', fields, atomic, open };
}

export function child(schema: Schema, key: string): Schema {
  switch (schema.is) {
    case 'struct':
      return schema.fields.get(key) ?? any;
    case 'map':
    case 'list':
      return schema.of;
    case 'scalar':
    case 'any':
      return any;
  }
}
