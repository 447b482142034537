/** The Status objects that a Kubernetes API server answers with, each with its code, reason and details. */
import type { Json } from './json.js';
import type { Resource } from './resources.js';

/** One wrong field, in the words and reasons of Kubernetes: `spec.x: Invalid value: 0: must be greater than zero`. */
export interface FieldError {
  readonly field: string;
  readonly reason: string;
  readonly message: string;
}

export class ApiError extends Error {
  readonly status: Json;
  readonly headers: Readonly<Record<string, string>>;
  readonly code: number;

  constructor(code: number, reason: string, message: string, details?: Json, metadata: Json = {}) {
    super(message);
    this.code = code;
    this.headers = details?.retryAfterSeconds > 0 ? { 'Retry-After': String(details.retryAfterSeconds) } : {};
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

const quoted = (value: Json): string => (value === undefined ? 'null' : JSON.stringify(value));

export const invalidValue = (field: string, value: Json, why: string): FieldError => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${quoted(value)}: ${why}`,
});
export const required = (field: string, why = ''): FieldError => ({
  field,
  reason: 'FieldValueRequired',
  message: why === '' ? 'Required value' : `Required value: ${why}`,
});
export const forbiddenField = (field: string, why: string): FieldError => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
});
export const duplicate = (field: string, value: Json): FieldError => ({
  field,
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${quoted(value)}`,
});
export const unsupported = (field: string, value: Json, allowed: readonly string[]): FieldError => ({
  field,
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${quoted(value)}: supported values: ${allowed.map(quoted).join(', ')}`,
});
export const tooLong = (field: string, why: string): FieldError => ({
  field,
  reason: 'FieldValueTooLong',
  message: `Too long: ${why}`,
});

export const groupResource = (resource: Pick<Resource, 'group' | 'plural'>): string =>
  resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;

const about = (resource: Resource, name: string): Json => ({
  ...(name === '' ? {} : { name }),
  ...(resource.group === '' ? {} : { group: resource.group }),
  kind: resource.plural,
});

export function invalid(kind: string, group: string, name: string, errors: readonly FieldError[]): ApiError {
  const all = errors.map(({ field, message }) => `${field}: ${message}`);
  const what = group === '' ? kind : `${kind}.${group}`;
  return new ApiError(
    422,
    'Invalid',
    `${what} ${JSON.stringify(name)} is invalid: ${all.length === 1 ? (all[0] ?? '') : `[${all.join(', ')}]`}`,
    {
      ...(name === '' ? {} : { name }),
      ...(group === '' ? {} : { group }),
      kind,
      causes: errors.map(({ field, reason, message }) => ({ reason, message, field })),
    },
  );
}

export const invalidOptions = (kind: string, error: FieldError): ApiError =>
  invalid(kind, 'meta.k8s.io', '', [error]);
export const notFound = (resource: Resource, name: string): ApiError =>
  new ApiError(404, 'NotFound', `${groupResource(resource)} "${name}" not found`, about(resource, name));
export const noSuchPath = (): ApiError =>
  new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
export const alreadyExists = (resource: Resource, name: string): ApiError =>
  new ApiError(
    409,
    'AlreadyExists',
    `${groupResource(resource)} "${name}" already exists`,
    about(resource, name),
  );
export const conflict = (resource: Resource, name: string, why: string): ApiError =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${groupResource(resource)} "${name}": ${why}`,
    about(resource, name),
  );
export const modified = (resource: Resource, name: string): ApiError =>
  conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );
export const forbidden = (resource: Resource, name: string, why: string): ApiError =>
  new ApiError(
    403,
    'Forbidden',
    `${groupResource(resource)}${name === '' ? '' : ` "${name}"`} is forbidden: ${why}`,
    about(resource, name),
  );
export const badRequest = (why: string): ApiError => new ApiError(400, 'BadRequest', why);
export const unauthorized = (): ApiError => new ApiError(401, 'Unauthorized', 'Unauthorized');
export const methodNotAllowed = (): ApiError =>
  new ApiError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
export const notAcceptable = (types: readonly string[]): ApiError =>
  new ApiError(406, 'NotAcceptable', `only the following media types are accepted: ${types.join(', ')}`, {});
export const unsupportedMediaType = (types: readonly string[]): ApiError =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${types.join(', ')}`,
    {},
  );
/** Routes of built-in kinds turn it away before anybody knows what it is. */
export const unknownMediaType = (): ApiError =>
  new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
export const expired = (why: string, continueFrom?: string): ApiError =>
  new ApiError(410, 'Expired', why, undefined, continueFrom === undefined ? {} : { continue: continueFrom });
export const tooLargeVersion = (asked: number, current: number): ApiError =>
  new ApiError(504, 'Timeout', `Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
export const internal = (why: string): ApiError =>
  new ApiError(500, 'InternalError', `Internal error occurred: ${why}`, { causes: [{ message: why }] });
