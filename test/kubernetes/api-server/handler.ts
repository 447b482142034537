/** One request from its first byte to its answer: who asks, may they, does the test want a fault, and then the work. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Answer, Api, Call } from './api.js';
import {
  aggregated,
  apiVersions,
  groupList,
  oneGroup,
  openApi,
  openApiIndex,
  resourceList,
  versionInfo,
} from './discovery.js';
import { asError, type Fault, type FaultPlan, type SeenRequest } from './faults.js';
import type { Json } from './json.js';
import { allows, refusal, type User } from './rbac.js';
import { readOne, sendList, startWatch } from './reads.js';
import type { Place } from './registry.js';
import { acceptedForm, readBody, targetOf, verbOf, type Target } from './requests.js';
import { ApiError, forbidden, internal, methodNotAllowed, noSuchPath } from './status.js';
import { create, patch, remove, removeAll, reviewAccess, scaleOf, update } from './writes.js';

export interface Handling {
  readonly api: Api;
  readonly url: string;
  readonly userOf: (request: IncomingMessage) => User;
  readonly plans: ReadonlySet<FaultPlan>;
  readonly log: (seen: SeenRequest, status: number) => void;
}

const reviewsAt = 'authorization.k8s.io';
const reviewKinds: Readonly<Record<string, string>> = {
  selfsubjectaccessreviews: 'SelfSubjectAccessReview',
  subjectaccessreviews: 'SubjectAccessReview',
};

export async function handle(
  handling: Handling,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://api');
  const target = targetOf(url.pathname, handling.api.resources);
  let seen = describe(request, url, target, '');
  // The log has the status of every request, also of those that never got one.
  response.once('close', () => handling.log(seen, response.headersSent ? response.statusCode : 0));
  try {
    const user = handling.userOf(request);
    seen = describe(request, url, target, user.name);
    const body = await readBody(request);
    const fault = faultFor(handling.plans, seen);
    if (fault?.kind === 'answer') throw asError(fault);
    if (fault?.kind === 'delay') await wait(fault.ms);
    if (fault?.kind === 'cut' && fault.when === 'before') return void request.socket.destroy();
    if (fault?.kind === 'cut') holdAnswer(request, response);
    authorize(handling.api, user, seen, target);
    const call: Call = {
      seen,
      user,
      query: url.searchParams,
      accept: request.headers.accept,
      contentType: request.headers['content-type'],
      body,
      warnings: [],
    };
    if (target === undefined) {
      answerPath(handling, url.pathname, call, response);
      return;
    }
    const place = placeOf(target);
    if (place === undefined) {
      const kind = target.group === reviewsAt ? reviewKinds[target.plural] : undefined;
      if (kind === undefined || seen.verb !== 'create') throw noSuchPath();
      send(response, reviewAccess(handling.api, call, kind), call);
      return;
    }
    await carryOut(handling.api, place, call, fault, response);
  } catch (error) {
    fail(response, error);
  }
}

function describe(request: IncomingMessage, url: URL, target: Target | undefined, user: string): SeenRequest {
  const isWatch = url.searchParams.get('watch') === 'true' || url.searchParams.get('watch') === '1';
  const { plural = '', subresource = '', namespace = '', name = '' } = target ?? {};
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.search,
    user,
    verb:
      target === undefined
        ? (request.method ?? 'get').toLowerCase()
        : verbOf(request.method ?? 'GET', name !== '', isWatch),
    resource: subresource === '' ? plural : `${plural}/${subresource}`,
    namespace: plural === 'namespaces' && namespace === '' ? name : namespace,
    name,
    userAgent: request.headers['user-agent'] ?? '',
  };
}

function faultFor(plans: ReadonlySet<FaultPlan>, seen: SeenRequest): Fault | undefined {
  for (const plan of plans) {
    const fault = plan(seen);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The work is done, and the connection goes instead of the answer. */
function holdAnswer(request: IncomingMessage, response: ServerResponse): void {
  const cut = (): ServerResponse => {
    request.socket.destroy();
    return response;
  };
  Object.assign(response, {
    writeHead: () => response,
    flushHeaders: () => undefined,
    write: () => true,
    end: cut,
  });
}

function authorize(api: Api, user: User, seen: SeenRequest, target: Target | undefined): void {
  const asked = {
    verb: seen.verb,
    group: target?.group ?? '',
    resource: seen.resource,
    namespace: seen.namespace,
    name: seen.name,
    path: seen.path,
  };
  if (allows(api.store, user, asked)) return;
  const why = refusal(user, asked);
  if (target === undefined) throw new ApiError(403, 'Forbidden', `forbidden: ${why}`, {});
  throw forbidden({ group: target.group, plural: target.plural } as never, seen.name, why);
}

function placeOf({ resource, namespace, name, subresource }: Target): Place | undefined {
  if (resource === undefined) return undefined;
  if (!resource.namespaced && namespace !== '') return undefined;
  if (resource.namespaced && namespace === '' && name !== '') return undefined;
  if (subresource !== '' && !resource.subresources.includes(subresource)) return undefined;
  return { resource, namespace, name, subresource };
}

async function carryOut(
  api: Api,
  place: Place,
  call: Call,
  fault: Fault | undefined,
  response: ServerResponse,
): Promise<void> {
  const { subresource, resource, namespace } = place;
  switch (call.seen.verb) {
    case 'get': {
      if (subresource === 'scale') {
        send(response, { code: 200, object: scaleOf(api.registry.get(place).object) }, call);
        return;
      }
      if (subresource === 'log') return void response.writeHead(200, { 'Content-Type': 'text/plain' }).end();
      if (subresource !== '' && subresource !== 'status') throw methodNotAllowed();
      send(response, readOne(api, place, call), call);
      return;
    }
    case 'list':
      return sendList(api, place, call, response);
    case 'watch': {
      startWatch(api, place, call, fault, response);
      return;
    }
    case 'create':
      if (resource.namespaced && namespace === '') throw methodNotAllowed();
      {
        send(response, create(api, place, call), call);
        return;
      }
    case 'update':
      if (place.name === '') throw methodNotAllowed();
      {
        send(response, update(api, place, call), call);
        return;
      }
    case 'patch':
      if (place.name === '') throw methodNotAllowed();
      {
        send(response, patch(api, place, call), call);
        return;
      }
    case 'delete':
      if (subresource !== '') throw methodNotAllowed();
      {
        send(response, remove(api, place, call), call);
        return;
      }
    case 'deletecollection': {
      send(response, removeAll(api, place, call), call);
      return;
    }
    default:
      throw methodNotAllowed();
  }
}

function answerPath({ api, url }: Handling, path: string, call: Call, response: ServerResponse): void {
  if (/^\/(healthz|readyz|livez)(\/|$)/.test(path)) {
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' }).end('ok');
    return;
  }
  if (call.seen.method !== 'GET') throw methodNotAllowed();
  const document = discoveryDocument(api, url, path, acceptedForm(call.accept) === 'discovery');
  if (document === undefined) throw noSuchPath();
  const type =
    document.kind === 'APIGroupDiscoveryList'
      ? 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
      : 'application/json';
  response.writeHead(200, { 'Content-Type': type }).end(JSON.stringify(document));
}

function discoveryDocument({ resources }: Api, url: string, path: string, wantsAggregated: boolean): Json {
  const [first = '', group = '', version] = path.split('/').filter(Boolean);
  const depth = path.split('/').filter(Boolean).length;
  switch (first) {
    case 'version':
      return versionInfo;
    case 'api':
      if (depth === 1) return wantsAggregated ? aggregated(resources, true) : apiVersions(url);
      return resourceList(resources, '', group);
    case 'apis':
      if (depth === 1) return wantsAggregated ? aggregated(resources, false) : groupList(resources);
      return version === undefined ? oneGroup(resources, group) : resourceList(resources, group, version);
    case 'openapi': {
      const found = /^\/openapi\/v3(?:\/(?:api\/(?<core>\w+)|apis\/(?<group>[^/]+)\/(?<version>\w+)))?$/.exec(
        path,
      );
      if (found === null) return undefined;
      const { core, group: named = '', version: of = core } = found.groups ?? {};
      return of === undefined ? openApiIndex(resources) : openApi(resources, named, of);
    }
    default:
      return undefined;
  }
}

function send(response: ServerResponse, { code, object }: Answer, call: Call): void {
  const warnings = call.warnings.map((text) => `299 - ${JSON.stringify(text)}`);
  response
    .writeHead(code, {
      'Content-Type': 'application/json',
      ...(warnings.length === 0 ? {} : { Warning: warnings }),
    })
    .end(JSON.stringify(object));
}

function fail(response: ServerResponse, error: unknown): void {
  const known =
    error instanceof ApiError
      ? error
      : internal(error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (response.headersSent) return void response.destroy();
  response
    .writeHead(known.code, { 'Content-Type': 'application/json', ...known.headers })
    .end(JSON.stringify(known.status));
}
