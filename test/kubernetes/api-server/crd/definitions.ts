/** CustomResourceDefinitions: checked, established, and turned into rows of the resource table. */
import { isObject, type Json } from '../json.js';
import type { Resource } from '../resources.js';
import { forbiddenField, invalidValue, required, unsupported, type FieldError } from '../status.js';

/** Rules in CEL that a test can check itself, by their text: this server has no CEL. */
export type CelRules = ReadonlyMap<string, (self: Json, old: Json) => boolean>;

export function definitionErrors(crd: Json, rules: CelRules): readonly FieldError[] {
  const { spec = {}, metadata } = crd;
  const errors: FieldError[] = [];
  for (const field of ['group', 'scope']) if (!spec[field]) errors.push(required(`spec.${field}`));
  for (const field of ['plural', 'kind'])
    if (!spec.names?.[field]) errors.push(required(`spec.names.${field}`));
  if (!spec.versions?.length) errors.push(required('spec.versions'));
  if (errors.length > 0) return errors;
  if (metadata.name !== `${String(spec.names.plural)}.${String(spec.group)}`) {
    errors.push(invalidValue('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  if (!['Cluster', 'Namespaced'].includes(spec.scope))
    errors.push(unsupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']));
  if (
    /(^|\.)(k8s|kubernetes)\.io$/.test(spec.group) &&
    !metadata.annotations?.['api-approved.kubernetes.io']
  ) {
    errors.push(
      required(
        'metadata.annotations[api-approved.kubernetes.io]',
        `protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111`,
      ),
    );
  }
  if (spec.versions.filter((version: Json) => version.storage === true).length !== 1) {
    errors.push(
      invalidValue('spec.versions', spec.versions, 'must have exactly one version marked as storage version'),
    );
  }
  for (const [index, version] of spec.versions.entries()) {
    const at = `spec.versions[${index}].schema.openAPIV3Schema`;
    const schema = version.schema?.openAPIV3Schema;
    if (schema === undefined) errors.push(required(at, 'schemas are required'));
    else {
      if (schema.type !== 'object') errors.push(unsupported(`${at}.type`, schema.type ?? '', ['object']));
      errors.push(...structuralErrors(schema, at, rules));
    }
  }
  return errors;
}

/** A structural schema says the type of everything and leaves no metadata rules but for name and generateName. */
function structuralErrors(schema: Json, at: string, rules: CelRules, isRoot = true): readonly FieldError[] {
  if (!isObject(schema)) return [];
  const errors: FieldError[] = [];
  const loose =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (schema.type === undefined && !loose)
    errors.push(required(`${at}.type`, 'must not be empty for specified object fields'));
  if (schema.type === 'array' && schema.items === undefined)
    errors.push(required(`${at}.items`, 'must be specified'));
  if (schema.uniqueItems === true)
    errors.push(
      forbiddenField(
        `${at}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  if (schema.properties !== undefined && schema.additionalProperties !== undefined) {
    errors.push(
      forbiddenField(
        `${at}.additionalProperties`,
        'additionalProperties and properties are mutual exclusive',
      ),
    );
  }
  if (schema.pattern !== undefined && !compiles(schema.pattern)) {
    errors.push(invalidValue(`${at}.pattern`, schema.pattern, 'must be a valid regular expression'));
  }
  if (schema['x-kubernetes-list-type'] === 'map' && !schema['x-kubernetes-list-map-keys']?.length) {
    errors.push(
      required(`${at}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'),
    );
  }
  for (const [index, { rule }] of (schema['x-kubernetes-validations'] ?? []).entries()) {
    if (!rules.has(rule)) {
      errors.push(
        forbiddenField(
          `${at}.x-kubernetes-validations[${index}].rule`,
          'the test did not say what this rule means (option celRules)',
        ),
      );
    }
  }
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if (isRoot && name === 'metadata') continue;
    errors.push(...structuralErrors(field, `${at}.properties[${name}]`, rules, false));
  }
  errors.push(...structuralErrors(schema.items, `${at}.items`, rules, false));
  errors.push(...structuralErrors(schema.additionalProperties, `${at}.additionalProperties`, rules, false));
  return errors;
}

function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u');
    return true;
  } catch {
    return false;
  }
}

export function celErrors(
  value: Json,
  old: Json,
  schema: Json,
  rules: CelRules,
  path = '',
): readonly FieldError[] {
  if (!isObject(schema) || value === undefined || value === null) return [];
  const own: readonly FieldError[] = (schema['x-kubernetes-validations'] ?? [])
    .filter(
      ({ rule }: Json) =>
        (old !== undefined || !/\boldSelf\b/.test(rule)) && rules.get(rule)?.(value, old) === false,
    )
    .map(({ rule, message }: Json) =>
      invalidValue(
        path === '' ? '<nil>' : path,
        isObject(value) ? 'object' : value,
        message ?? `failed rule: ${String(rule)}`,
      ),
    );
  const below = Object.entries(schema.properties ?? {}).flatMap(([key, field]) =>
    celErrors(value[key], old?.[key], field, rules, path === '' ? key : `${path}.${key}`),
  );
  const items = Array.isArray(value)
    ? value.flatMap((item, index) => celErrors(item, undefined, schema.items, rules, `${path}[${index}]`))
    : [];
  return [...own, ...below, ...items];
}

export function definedResources(crd: Json): readonly Resource[] {
  const { spec, metadata } = crd;
  return spec.versions
    .filter((version: Json) => version.served === true)
    .map((version: Json): Resource => ({
      group: spec.group,
      version: version.name,
      plural: spec.names.plural,
      singular: spec.names.singular ?? spec.names.kind.toLowerCase(),
      kind: spec.names.kind,
      listKind: spec.names.listKind ?? `${String(spec.names.kind)}List`,
      namespaced: spec.scope === 'Namespaced',
      shortNames: spec.names.shortNames ?? [],
      categories: spec.names.categories ?? [],
      subresources: [
        ...(version.subresources?.status === undefined ? [] : ['status']),
        ...(version.subresources?.scale === undefined ? [] : ['scale']),
      ],
      model: '',
      custom: {
        schema: version.schema.openAPIV3Schema,
        columns: version.additionalPrinterColumns ?? [],
        selectableFields: (version.selectableFields ?? []).map((one: Json) =>
          one.jsonPath.replace(/^\./, ''),
        ),
        stored: metadata.name,
      },
      unconditionalUpdate: false,
      createOnUpdate: false,
      counted: true,
    }));
}

/** A definition as it is stored: its names filled in and accepted, served at once. */
/** Not served yet: nobody has looked at its names. */
export function begun(crd: Json): Json {
  const stored = crd.spec.versions.find((version: Json) => version.storage === true)?.name;
  const acceptedNames = { plural: '', kind: '' };
  return {
    ...crd,
    spec: { ...crd.spec, names: fullNames(crd), conversion: crd.spec.conversion ?? { strategy: 'None' } },
    status: { conditions: null, acceptedNames, storedVersions: [stored] },
  };
}

function fullNames({ spec: { names } }: Json): Json {
  return {
    ...names,
    singular: names.singular ?? names.kind.toLowerCase(),
    listKind: names.listKind ?? `${String(names.kind)}List`,
  };
}

export function established(crd: Json, time: string): Json {
  const accepted = fullNames(crd);
  const condition = (type: string, reason: string, message: string): Json => {
    const old = crd.status?.conditions?.find((one: Json) => one.type === type);
    return old ?? { type, status: 'True', lastTransitionTime: time, reason, message };
  };
  return {
    ...crd,
    spec: { ...crd.spec, names: accepted, conversion: crd.spec.conversion ?? { strategy: 'None' } },
    status: {
      conditions: [
        condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
        condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
      ],
      acceptedNames: accepted,
      storedVersions: [crd.spec.versions.find((version: Json) => version.storage === true)?.name],
    },
  };
}
