/** Metadata is checked alike for every kind, when an object is made and when it changes. */
import { equal, type Json } from '../json.js';
import { forbiddenField, invalidValue, required, tooLong, unsupported, type FieldError } from '../status.js';
import { labelKeyProblem, labelValueProblem, type NameRule } from './names.js';

const annotationLimitBytes = 256 * 1024;

export function metadataErrors(object: Json, name: NameRule): readonly FieldError[] {
  const { metadata } = object;
  const errors: FieldError[] = [];
  const problem = name(metadata.name);
  if (problem !== undefined) errors.push(invalidValue('metadata.name', metadata.name, problem));
  errors.push(...labelErrors(metadata.labels, 'metadata.labels'));
  let bytes = 0;
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    const why = labelKeyProblem(key.toLowerCase());
    if (why !== undefined) errors.push(invalidValue('metadata.annotations', key, why));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (bytes > annotationLimitBytes) {
    errors.push(tooLong('metadata.annotations', `may not be more than ${annotationLimitBytes} bytes`));
  }
  for (const [index, owner] of (metadata.ownerReferences ?? []).entries()) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid']) {
      if (!owner[field]) {
        errors.push(
          invalidValue(
            `metadata.ownerReferences[${index}].${field}`,
            owner[field] ?? '',
            'must not be empty',
          ),
        );
      }
    }
  }
  if ((metadata.ownerReferences ?? []).filter((owner: Json) => owner.controller === true).length > 1) {
    errors.push(
      invalidValue(
        'metadata.ownerReferences',
        metadata.ownerReferences,
        'Only one reference can have Controller set to true',
      ),
    );
  }
  for (const finalizer of metadata.finalizers ?? []) {
    const why = labelKeyProblem(finalizer);
    if (why !== undefined) errors.push(invalidValue('metadata.finalizers', finalizer, why));
    else if (
      !finalizer.includes('/') &&
      !['orphan', 'foregroundDeletion', 'kubernetes'].includes(finalizer)
    ) {
      errors.push(
        invalidValue(
          'metadata.finalizers[0]',
          finalizer,
          'name is neither a standard finalizer name nor is it fully qualified',
        ),
      );
    }
  }
  return errors;
}

export function labelErrors(labels: Json, field: string): readonly FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => {
    const keyProblem = labelKeyProblem(key);
    const valueProblem = labelValueProblem(String(value));
    return [
      ...(keyProblem === undefined ? [] : [invalidValue(field, key, keyProblem)]),
      ...(valueProblem === undefined ? [] : [invalidValue(field, value, valueProblem)]),
    ];
  });
}

export function metadataChangeErrors(old: Json, next: Json): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds']) {
    if (!equal(old.metadata[field], next.metadata[field])) {
      errors.push(invalidValue(`metadata.${field}`, next.metadata[field] ?? null, 'field is immutable'));
    }
  }
  const added = (next.metadata.finalizers ?? []).filter(
    (one: Json) => !old.metadata.finalizers?.includes(one),
  );
  if (old.metadata.deletionTimestamp !== undefined && added.length > 0) {
    errors.push(
      forbiddenField(
        'metadata.finalizers',
        `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((one: Json) => JSON.stringify(one)).join(', ')}}`,
      ),
    );
  }
  return errors;
}

export const immutable = (old: Json, next: Json, field: string): readonly FieldError[] => {
  let left = old;
  let right = next;
  for (const key of field.split('.')) {
    left = left?.[key];
    right = right?.[key];
  }
  return equal(left, right) ? [] : [invalidValue(field, right ?? null, 'field is immutable')];
};

export const oneOf = (field: string, value: Json, allowed: readonly string[]): readonly FieldError[] =>
  value === undefined || value === ''
    ? [required(field)]
    : allowed.includes(value)
      ? []
      : [unsupported(field, value, allowed)];
