/** create, update, patch and delete, and the subresources that are verbs in disguise. */
import type { Answer, Api, Call } from './api.js';
import type { DeleteOptions } from './deletion.js';
import { evict } from './eviction.js';
import { copy, type Json } from './json.js';
import { applyType, checkPatchType, patched } from './patch/patched.js';
import { allows, refusal } from './rbac.js';
import { inForm, selection } from './reads.js';
import type { Place, WriteOptions } from './registry.js';
import { mediaType, parseBody, parseText } from './requests.js';
import { groupResource } from './status.js';
import {
  ApiError,
  badRequest,
  forbidden,
  forbiddenField,
  invalid,
  invalidOptions,
  invalidValue,
  methodNotAllowed,
  required,
  unsupported,
} from './status.js';
import { keyOf, unversioned } from './store.js';
import { storedAs } from './resources.js';

function writeOptions(call: Call, kind: string): WriteOptions {
  const dryRun = call.query.getAll('dryRun').filter(Boolean);
  for (const one of dryRun)
    if (one !== 'All') throw invalidOptions(kind, unsupported('dryRun', one, ['All']));
  const validation = call.query.get('fieldValidation') ?? 'Warn';
  if (validation !== 'Strict' && validation !== 'Warn' && validation !== 'Ignore') {
    throw invalidOptions(kind, unsupported('fieldValidation', validation, ['Ignore', 'Strict', 'Warn']));
  }
  const manager = call.query.get('fieldManager') ?? '';
  if (manager.length > 128)
    throw invalidOptions(kind, {
      field: 'fieldManager',
      reason: 'FieldValueTooLong',
      message: 'Too long: may not be more than 128 bytes',
    });
  return {
    dryRun: dryRun.length > 0,
    manager: manager === '' ? (call.seen.userAgent.split('/')[0] ?? 'unknown') : manager,
    validation,
    warn: (text) => call.warnings.push(text),
  };
}

export function create(api: Api, place: Place, call: Call): Answer {
  const options = writeOptions(call, 'CreateOptions');
  const body = parseBody(call.body, call.contentType);
  if (place.subresource === 'eviction') return { code: 201, object: evict(place, body, options.dryRun, api) };
  if (place.subresource === 'binding') return { code: 201, object: bind(api, place, body, options) };
  if (place.name !== '') throw methodNotAllowed();
  const object = api.registry.create(place.resource, place.namespace, body, options);
  return { code: 201, object: inForm(api, place.resource, object, call) };
}

function bind(api: Api, place: Place, binding: Json, { dryRun }: WriteOptions): Json {
  const pod = api.registry.get(place).object;
  const node = binding?.target?.name ?? '';
  if (node === '') throw invalid('Binding', '', place.name, [required('target.name')]);
  const refused = (why: string): ApiError =>
    new ApiError(409, 'Conflict', `Operation cannot be fulfilled on pods/binding "${place.name}": ${why}`, {
      name: place.name,
      kind: 'pods/binding',
    });
  if (pod.metadata.deletionTimestamp !== undefined)
    throw refused(`pod ${place.name} is being deleted, cannot be assigned to a host`);
  if (pod.spec.nodeName)
    throw refused(`pod ${place.name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
  const next = copy(unversioned(pod));
  next.spec.nodeName = node;
  const conditions = (next.status.conditions ?? []).filter((one: Json) => one.type !== 'PodScheduled');
  next.status.conditions = [
    ...conditions,
    { type: 'PodScheduled', status: 'True', lastTransitionTime: api.registry.time() },
  ];
  if (!dryRun) api.store.commit(storedAs(place.resource), keyOf(place.namespace, place.name), next);
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}

export function update(api: Api, place: Place, call: Call): Answer {
  const options = writeOptions(call, 'UpdateOptions');
  const body = parseBody(call.body, call.contentType);
  if (place.subresource === 'scale') return scaleTo(api, place, body, options);
  if (place.subresource === 'finalize') return finalize(api, place, body);
  const decoded = api.registry.decoded(place.resource, body, options);
  const { object, created } = api.registry.update(place, () => decoded, options, true);
  return { code: created ? 201 : 200, object: inForm(api, place.resource, object, call) };
}

/** A namespace lets go of what holds it. */
function finalize(api: Api, place: Place, body: Json): Answer {
  const live = api.registry.get(place).object;
  const next = { ...unversioned(live), spec: { ...live.spec, finalizers: body?.spec?.finalizers ?? [] } };
  return { code: 200, object: api.store.commit(storedAs(place.resource), place.name, copy(next))?.object };
}

export function scaleOf({ metadata, spec, status }: Json): Json {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec?.replicas ?? 0 },
    status: { replicas: status?.replicas ?? 0 },
  };
}

function scaleTo(api: Api, place: Place, scale: Json, options: WriteOptions): Answer {
  const replicas = scale?.spec?.replicas ?? 0;
  if (!Number.isInteger(replicas) || replicas < 0) {
    throw invalid('Scale', 'autoscaling', place.name, [
      invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  }
  const change = (live: Json): Json => {
    const next = copy(live);
    next.spec.replicas = replicas;
    if (scale.metadata?.resourceVersion !== undefined)
      next.metadata.resourceVersion = scale.metadata.resourceVersion;
    return next;
  };
  const { object } = api.registry.update({ ...place, subresource: '' }, change, options, false);
  return { code: 200, object: scaleOf(object) };
}

export function patch(api: Api, place: Place, call: Call): Answer {
  const options = writeOptions(call, 'PatchOptions');
  const { resource } = place;
  const type = mediaType(call.contentType);
  checkPatchType(type, resource);
  const sent = parseText(call.body.toString('utf8'), type === applyType);
  const force = call.query.get('force');
  if (type === applyType) {
    if ((call.query.get('fieldManager') ?? '') === '') {
      throw invalidOptions('PatchOptions', required('fieldManager', 'is required for apply patch'));
    }
    checkMayCreate(api, place, call);
    const { object, created } = api.registry.apply(place, sent, force === 'true', options);
    return { code: created ? 201 : 200, object: inForm(api, resource, object, call) };
  }
  if (force !== null)
    throw invalidOptions('PatchOptions', forbiddenField('force', 'may not be specified for non-apply patch'));
  const schema = api.registry.schema(resource);
  if (place.subresource === 'scale') {
    const scale = patched(type, scaleOf(api.registry.get(place).object), sent, { is: 'any' });
    return scaleTo(api, place, scale, options);
  }
  const change = (live: Json): Json => {
    const next = patched(type, api.registry.shown(resource, live), sent, schema);
    try {
      return api.registry.decoded(resource, next, options);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 400) throw error;
      throw invalid('', '', '', [invalidValue('patch', JSON.stringify(next), error.message)]);
    }
  };
  const { object } = api.registry.update(place, change, options, false);
  return { code: 200, object: inForm(api, resource, object, call) };
}

/** An apply that makes an object needs the right to create it as well. */
function checkMayCreate(api: Api, { resource, namespace, name }: Place, call: Call): void {
  if (api.registry.find({ resource, namespace, name }) !== undefined) return;
  const asked = {
    verb: 'create',
    group: resource.group,
    resource: resource.plural,
    namespace,
    name,
    path: call.seen.path,
  };
  if (!allows(api.store, call.user, asked)) throw forbidden(resource, name, refusal(call.user, asked));
}

function deleteOptions(call: Call): DeleteOptions & { dryRun: boolean } {
  const body: Json = call.body.length === 0 ? {} : parseBody(call.body, call.contentType);
  if (body.kind !== undefined && body.kind !== 'DeleteOptions')
    throw badRequest(`no kind "${String(body.kind)}" is registered for DeleteOptions`);
  const grace = call.query.get('gracePeriodSeconds');
  const propagationPolicy = body.propagationPolicy ?? call.query.get('propagationPolicy') ?? undefined;
  const { dryRun } = writeOptions(call, 'DeleteOptions');
  const policies = ['Foreground', 'Background', 'Orphan'];
  if (propagationPolicy !== undefined && !policies.includes(propagationPolicy)) {
    throw invalidOptions('DeleteOptions', unsupported('propagationPolicy', propagationPolicy, policies));
  }
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...body,
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    dryRun: dryRun || body.dryRun?.includes('All') === true,
  };
}

/** Kinds whose last state is the answer to their deletion. */
const returnsObject = ['pods', 'services', 'serviceaccounts', 'resourcequotas'];

export function remove(api: Api, place: Place, call: Call): Answer {
  const { dryRun, ...options } = deleteOptions(call);
  const { object, gone } = api.deletion.delete(place, options, dryRun);
  const { resource, name } = place;
  if (!gone || returnsObject.includes(resource.plural)) {
    const code =
      !gone && (options.propagationPolicy === 'Foreground' || options.orphanDependents === false) ? 202 : 200;
    return { code, object: api.registry.shown(resource, object) };
  }
  const details = {
    name,
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
    uid: object.metadata.uid,
  };
  return {
    code: 200,
    object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details },
  };
}

export function removeAll(api: Api, place: Place, call: Call): Answer {
  const { dryRun, ...options } = deleteOptions(call);
  const { resource, namespace } = place;
  const match = selection(resource, call, '');
  const prefix = namespace === '' ? '' : `${namespace}/`;
  const found = api.store
    .snapshot(storedAs(resource), prefix, api.store.version, '')
    .filter(({ object }) => match?.(object) !== false);
  const items = found.map(({ object }) => {
    const at = {
      resource,
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name,
      subresource: '',
    };
    return api.deletion.delete(at, options, dryRun).object;
  });
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  return {
    code: 200,
    object: {
      kind: resource.listKind,
      apiVersion,
      metadata: { resourceVersion: String(api.store.version) },
      items,
    },
  };
}

/** May I? Asked of the same rules that requests are judged by. */
export function reviewAccess(api: Api, call: Call, kind: string): Answer {
  const body = parseBody(call.body, call.contentType);
  const { resourceAttributes: asked, nonResourceAttributes: plain } = body?.spec ?? {};
  if (asked === undefined && plain === undefined) {
    throw invalid(kind, 'authorization.k8s.io', '', [
      invalidValue(
        'spec.resourceAttributes',
        {},
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ),
    ]);
  }
  const user =
    kind === 'SubjectAccessReview'
      ? { name: body.spec.user ?? '', groups: body.spec.groups ?? [] }
      : call.user;
  const resource =
    asked === undefined
      ? ''
      : asked.subresource
        ? `${String(asked.resource)}/${String(asked.subresource)}`
        : (asked.resource ?? '*');
  const allowed = allows(api.store, user, {
    verb: asked?.verb ?? plain?.verb ?? '',
    group: asked?.group ?? '',
    resource,
    namespace: asked?.namespace ?? '',
    name: asked?.name ?? '',
    path: plain?.path ?? '',
  });
  const reason = allowed
    ? `RBAC: allowed for ${groupResource({ group: asked?.group ?? '', plural: resource })}`
    : '';
  return {
    code: 201,
    object: {
      ...body,
      apiVersion: 'authorization.k8s.io/v1',
      kind,
      status: { allowed, ...(allowed ? { reason } : {}) },
    },
  };
}
