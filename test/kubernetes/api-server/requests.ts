/** What a request asks for: its path as a resource, its verb, its body and the media types it takes. */
import type { IncomingMessage } from 'node:http';
import { parse as parseYaml } from 'yaml';
import type { Json } from './json.js';
import type { Resource, Resources } from './resources.js';
import { badRequest, notAcceptable, unsupportedMediaType, ApiError } from './status.js';

export interface Target {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly resource: Resource | undefined;
}

/** /api/v1/... and /apis/GROUP/VERSION/...; anything else is no resource. */
export function targetOf(path: string, resources: Resources): Target | undefined {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const isCore = parts[0] === 'api';
  if (!isCore && parts[0] !== 'apis') return undefined;
  const [group, version, ...rest] = isCore ? ['', ...parts.slice(1)] : parts.slice(1);
  if (version === undefined || group === undefined || rest.length === 0) return undefined;
  const inNamespace =
    rest[0] === 'namespaces' && rest.length > 2 && !['status', 'finalize'].includes(rest[2] ?? '');
  const [plural = '', name = '', subresource = ''] = inNamespace ? rest.slice(2) : rest;
  const namespace = inNamespace ? (rest[1] ?? '') : '';
  return {
    group,
    version,
    plural,
    namespace,
    name,
    subresource,
    resource: resources.find(group, version, plural),
  };
}

export function verbOf(method: string, named: boolean, isWatch: boolean): string {
  switch (method) {
    case 'GET':
    case 'HEAD':
      return isWatch ? 'watch' : named ? 'get' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return named ? 'delete' : 'deletecollection';
    default:
      return method.toLowerCase();
  }
}

const bodyLimitBytes = 3 * 1024 * 1024;

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > bodyLimitBytes) {
      throw new ApiError(
        413,
        'RequestEntityTooLarge',
        `Request entity too large: limit is ${bodyLimitBytes}`,
      );
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

export const mediaType = (header: string | undefined): string => (header ?? '').split(';')[0]?.trim() ?? '';

/** A body in JSON or YAML. */
export function parseBody(body: Buffer, header: string | undefined): Json {
  const type = mediaType(header);
  if (type !== '' && type !== 'application/json' && type !== 'application/yaml') {
    throw unsupportedMediaType([
      'application/json',
      'application/yaml',
      'application/vnd.kubernetes.protobuf',
    ]);
  }
  return parseText(body.toString('utf8'), type === 'application/yaml');
}

export function parseText(text: string, isYaml: boolean): Json {
  try {
    return isYaml ? parseYaml(text) : JSON.parse(text);
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
}

export type Form = 'plain' | 'table' | 'partial' | 'discovery';

/** The first form of the Accept header that the server has. */
export function acceptedForm(header: string | undefined): Form {
  if (header === undefined || header === '') return 'plain';
  for (const choice of header.split(',')) {
    const [type = '', ...parameters] = choice.split(';').map((part) => part.trim());
    const as = parameters.find((one) => one.startsWith('as='))?.slice(3);
    if (!['application/json', '*/*', 'application/*'].includes(type)) continue;
    if (as === undefined) return 'plain';
    if (as === 'Table') return 'table';
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'partial';
    if (as === 'APIGroupDiscoveryList' && parameters.includes('v=v2')) return 'discovery';
  }
  throw notAcceptable(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']);
}
