/**
 * Creating and changing objects: decoded, defaulted, checked, versioned, with their owners kept in managedFields. One long
 * file, because create, update and apply are the same steps in the same order, and must stay so.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterUpdate, applied, type Writer } from './apply/managed.js';
import { admitted } from './admission.js';
import {
  begun,
  celErrors,
  definedResources,
  definitionErrors,
  established,
  type CelRules,
} from './crd/definitions.js';
import { customErrors, prune, setCustomDefaults } from './crd/custom-values.js';
import { decode, withoutEmpty } from './decode.js';
import { initialStatus, setDefaults } from './defaults.js';
import { asEventsV1, fromEventsV1 } from './events.js';
import { copy, drop, equal, freeze, isObject, without, type Json } from './json.js';
import { groupVersion, storedAs, type Resource, type Resources } from './resources.js';
import { customSchema, modelSchema, type Schema } from './schema.js';
import {
  ApiError,
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  invalid,
  invalidValue,
  modified,
  notFound,
  required,
  type FieldError,
} from './status.js';
import { keyOf, unversioned, type Collection, type Store, type Stored } from './store.js';
import { changeRulesOf, rulesOf } from './validation/kinds.js';
import { metadataChangeErrors, metadataErrors } from './validation/metadata.js';
import { nameRule } from './validation/names.js';

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly manager: string;
  readonly validation: 'Strict' | 'Warn' | 'Ignore';
  readonly warn: (text: string) => void;
}

export interface Place {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

/** What an update makes of the live object; `undefined` where there is none yet. */
type Change = (live: Json) => Json;

export class Registry {
  readonly store: Store;
  readonly resources: Resources;
  private readonly now: () => Date;
  private readonly celRules: CelRules;
  private readonly schemas = new Map<Json, Schema>();
  /** Asked before something is made; throws what admission refuses. */
  readonly admission: ((resource: Resource, object: Json) => void)[] = [];

  constructor(store: Store, resources: Resources, now: () => Date, celRules: CelRules) {
    this.store = store;
    this.resources = resources;
    this.now = now;
    this.celRules = celRules;
  }

  /** RFC 3339 in whole seconds, as metadata has it. */
  time(offsetSeconds = 0): string {
    return new Date(this.now().getTime() + offsetSeconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  collection(resource: Resource): Collection {
    return this.store.of(storedAs(resource));
  }

  find({ resource, namespace, name }: Pick<Place, 'resource' | 'namespace' | 'name'>): Stored | undefined {
    return this.collection(resource).items.get(keyOf(namespace, name));
  }

  get(place: Pick<Place, 'resource' | 'namespace' | 'name'>): Stored {
    const found = this.find(place);
    if (found === undefined) throw notFound(place.resource, place.name);
    return found;
  }

  schema(resource: Resource): Schema {
    if (resource.custom === undefined) return modelSchema(resource.model);
    let found = this.schemas.get(resource.custom.schema);
    if (found === undefined)
      this.schemas.set(resource.custom.schema, (found = customSchema(resource.custom.schema)));
    return found;
  }

  /** A stored object as this resource's version shows it. */
  shown(resource: Resource, object: Json): Json {
    if (resource.group === 'events.k8s.io') return asEventsV1(object);
    return object.apiVersion === groupVersion(resource)
      ? object
      : { ...object, apiVersion: groupVersion(resource) };
  }

  create(resource: Resource, namespace: string, body: Json, options: WriteOptions): Json {
    const object = this.decoded(resource, body, options);
    return this.shown(
      resource,
      this.insert(
        resource,
        namespace,
        object,
        (made) => this.owned(undefined, made, resource, '', options),
        options,
      ),
    );
  }

  private insert(
    resource: Resource,
    namespace: string,
    object: Json,
    own: (made: Json) => Json,
    options: WriteOptions,
  ): Json {
    const metadata = (object.metadata ??= {});
    if (resource.namespaced) {
      if ((metadata.namespace ?? namespace) !== namespace) {
        throw badRequest(
          'the namespace of the provided object does not match the namespace sent on the request',
        );
      }
      metadata.namespace = namespace;
      this.checkNamespace(resource, namespace, metadata.name ?? '');
    } else {
      drop(metadata, 'namespace');
    }
    if (!metadata.name && metadata.generateName)
      metadata.name = `${String(metadata.generateName).slice(0, 58)}${randomSuffix()}`;
    if (!metadata.name) {
      throw invalid(resource.kind, resource.group, '', [
        required('metadata.name', 'name or generateName is required'),
      ]);
    }
    for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink', 'generation'])
      drop(metadata, field);
    metadata.uid = randomUUID();
    metadata.creationTimestamp = this.time();
    if (resource.counted) metadata.generation = 1;
    if (resource.kind === 'Namespace') object.spec ??= {};
    setDefaults(object);
    admitted(resource, object);
    if (resource.subresources.includes('status')) {
      const status = initialStatus(resource.kind, object.status);
      if (status === undefined) drop(object, 'status');
      else object.status = status;
    }
    this.check(resource, undefined, object, '');
    for (const admit of this.admission) admit(resource, object);
    // The store itself says so, last of all and in no terms of the API.
    if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== '')
      throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created');
    const key = keyOf(resource.namespaced ? namespace : '', metadata.name);
    if (this.collection(resource).items.has(key)) throw alreadyExists(resource, metadata.name);
    const isDefinition = resource.kind === 'CustomResourceDefinition';
    const made = this.commit(resource, key, own(isDefinition ? begun(object) : object), options);
    if (isDefinition && !options.dryRun) setImmediate(() => this.establish(resource, key));
    return made;
  }

  /** A definition is served a moment after it was made. */
  private establish(resource: Resource, key: string): void {
    const made = this.collection(resource).items.get(key)?.object;
    if (made === undefined) return;
    const next = established(made, this.time());
    this.store.commit(storedAs(resource), key, unversioned(next));
    this.resources.define(next.metadata.name, definedResources(next));
  }

  private commit(resource: Resource, key: string, object: Json, options: WriteOptions): Json {
    if (options.dryRun) return object;
    const stored = this.store.commit(storedAs(resource), key, object);
    if (resource.kind === 'CustomResourceDefinition' && object.status?.acceptedNames?.plural)
      this.resources.define(object.metadata.name, definedResources(object));
    return stored?.object;
  }

  private checkNamespace(resource: Resource, namespace: string, name: string): void {
    const namespaces = this.resources.named('namespaces');
    const found = this.find({ resource: namespaces, namespace: '', name: namespace });
    if (found === undefined) throw notFound(namespaces, namespace);
    if (found.object.status?.phase !== 'Terminating') return;
    const refused = forbidden(
      resource,
      name,
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    );
    refused.status.details.causes = [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ];
    throw refused;
  }

  /** Answers the object and whether it was made by this call. */
  update(
    place: Place,
    change: Change,
    options: WriteOptions,
    isPut: boolean,
  ): { object: Json; created: boolean } {
    const { resource, namespace, name, subresource } = place;
    const live = this.find(place)?.object;
    if (live === undefined) {
      if (!(isPut && resource.createOnUpdate && subresource === '')) throw notFound(resource, name);
      const object = change(undefined);
      return {
        object: this.shown(
          resource,
          this.insert(
            resource,
            namespace,
            object,
            (made) => this.owned(undefined, made, resource, '', options),
            options,
          ),
        ),
        created: true,
      };
    }
    const sent = change(live);
    if ((sent.metadata?.name ?? '') !== name && (isPut || sent.metadata?.name !== undefined)) {
      throw badRequest(
        sent.metadata?.name
          ? `the name of the object (${String(sent.metadata.name)}) does not match the name on the URL (${name})`
          : `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
      );
    }
    if (resource.namespaced && (sent.metadata.namespace ?? namespace) !== namespace) {
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    }
    if (!sent.metadata.resourceVersion && isPut && !resource.unconditionalUpdate) {
      // The store knows resources, not kinds.
      throw invalid(resource.plural, resource.group, name, [
        invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
      ]);
    }
    const next = this.prepared(place, live, sent);
    const managedFields =
      sent.metadata.managedFields?.length === 0
        ? undefined
        : this.owned(live, next, resource, subresource, options).metadata.managedFields;
    return { object: this.replace(place, live, next, managedFields, options), created: false };
  }

  /** Server-side apply. */
  apply(place: Place, body: Json, force: boolean, options: WriteOptions): { object: Json; created: boolean } {
    const { resource, namespace, name, subresource } = place;
    if (body.metadata?.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
    const config = this.applyConfig(resource, namespace, {
      ...body,
      metadata: { ...body.metadata, name: body.metadata?.name ?? name },
    });
    if (config.metadata.name !== name) {
      throw badRequest(
        `the name of the object (${String(config.metadata.name)}) does not match the name on the URL (${name})`,
      );
    }
    const writer = this.writer(resource, subresource, options);
    const live = this.find(place)?.object;
    const schema = this.schema(resource);
    if (live === undefined) {
      if (subresource !== '' || config.metadata.uid !== undefined) throw notFound(resource, name);
      const { managedFields } = applied(undefined, config, schema, writer, force).metadata;
      const own = (made: Json): Json => ({ ...made, metadata: { ...made.metadata, managedFields } });
      return {
        object: this.shown(
          resource,
          this.insert(resource, namespace, this.decoded(resource, config, options), own, options),
        ),
        created: true,
      };
    }
    if (config.metadata.resourceVersion && config.metadata.resourceVersion !== live.metadata.resourceVersion)
      throw modified(resource, name);
    const merged = applied(this.shown(resource, live), config, schema, writer, force);
    const next = this.prepared(place, live, this.decoded(resource, merged, options));
    return {
      object: this.replace(place, live, next, merged.metadata.managedFields, options),
      created: false,
    };
  }

  private applyConfig(resource: Resource, namespace: string, body: Json): Json {
    const expected = groupVersion(resource);
    if (body?.apiVersion !== expected) {
      const said = String(body?.apiVersion ?? '');
      throw badRequest(
        `Incorrect version specified in apply patch. Specified patch version: ${said}, expected: ${expected}`,
      );
    }
    const { unknown, wrong, value } = decode(this.schema(resource), body);
    if (unknown.length > 0 || wrong !== undefined) {
      const field = unknown[0] ?? '';
      const what = wrong ?? `.${field}: field not declared in schema`;
      const where = `${keyOf(namespace, body.metadata.name)}; ${groupVersion(resource)}, Kind=${resource.kind}`;
      throw new ApiError(500, '', `failed to create typed patch object (${where}): ${what}`);
    }
    return value;
  }

  /** What may be stored of what was sent: each endpoint changes its own half of an object. */
  private prepared(place: Place, live: Json, sent: Json): Json {
    const { resource, name, subresource } = place;
    const next = copy(sent);
    const { metadata } = next;
    if (metadata.resourceVersion && metadata.resourceVersion !== live.metadata.resourceVersion)
      throw modified(resource, name);
    if (metadata.uid && metadata.uid !== live.metadata.uid) {
      throw conflict(
        resource,
        name,
        `StorageError: invalid object, Code: 4, Key: /registry/${resource.plural}/${keyOf(place.namespace, name)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${String(metadata.uid)}, UID in object meta: ${String(live.metadata.uid)}`,
      );
    }
    for (const field of [
      'uid',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
      'namespace',
      'generateName',
    ]) {
      if (metadata[field] === undefined && live.metadata[field] !== undefined)
        metadata[field] = live.metadata[field];
    }
    metadata.creationTimestamp = live.metadata.creationTimestamp;
    if (live.metadata.generation === undefined) drop(metadata, 'generation');
    else metadata.generation = live.metadata.generation;
    drop(metadata, 'selfLink');
    if (subresource === 'status') {
      const kept =
        resource.custom === undefined
          ? { ...metadata, ownerReferences: live.metadata.ownerReferences }
          : live.metadata;
      return copy({ ...live, metadata: kept, status: next.status });
    }
    if (resource.subresources.includes('status')) {
      if (live.status === undefined) drop(next, 'status');
      else next.status = copy(live.status);
    }
    setDefaults(next);
    if (resource.kind === 'Namespace') next.spec = copy(live.spec);
    const body = (object: Json): Json => without(object, 'metadata', 'status', 'apiVersion', 'kind');
    if (resource.counted && !equal(body(live), body(next)))
      metadata.generation = Number(live.metadata.generation ?? 0) + 1;
    return next;
  }

  private replace(place: Place, live: Json, next: Json, managedFields: Json, options: WriteOptions): Json {
    const { resource, namespace, name, subresource } = place;
    this.check(resource, live, next, subresource);
    let made =
      resource.kind === 'CustomResourceDefinition' && subresource === ''
        ? established(next, this.time())
        : next;
    const metadata: Json = without(made.metadata, 'managedFields');
    if (managedFields !== undefined && managedFields.length > 0) metadata.managedFields = managedFields;
    made = { ...made, metadata, apiVersion: live.apiVersion };
    if (equal(unversioned(freeze(made)), unversioned(live))) return this.shown(resource, live);
    const key = keyOf(resource.namespaced ? namespace : '', name);
    if (isFinished(made)) {
      if (!options.dryRun) this.remove(resource, key);
      return this.shown(resource, made);
    }
    return this.shown(resource, this.commit(resource, key, made, options));
  }

  remove(resource: Resource, key: string): Json {
    const gone = this.store.commit(storedAs(resource), key, undefined);
    if (resource.kind === 'CustomResourceDefinition') this.resources.define(key, []);
    return gone?.object;
  }

  /** The body as an object of this resource, in the version that is stored. */
  decoded(resource: Resource, body: Json, options: WriteOptions): Json {
    if (!isObject(body))
      throw badRequest(
        `the object provided is unrecognized (must be of type ${resource.kind}): couldn't get version/kind; json parse error`,
      );
    const kind = body.kind ?? resource.kind;
    const version = body.apiVersion ?? groupVersion(resource);
    if (kind !== resource.kind || version !== groupVersion(resource)) {
      throw badRequest(
        kind === resource.kind
          ? `the API version in the data (${String(version)}) does not match the expected API version (${groupVersion(resource)})`
          : `${String(kind)} in version "${String(version).split('/').at(-1) ?? ''}" cannot be handled as a ${resource.kind}: no kind "${String(kind)}" is registered for version "${String(version)}"`,
      );
    }
    const { value, unknown } =
      resource.custom === undefined
        ? this.decodedBuiltIn(resource, body)
        : this.decodedCustom(resource, body);
    if (unknown.length > 0) {
      const text = unknown.map((field) => `unknown field "${field}"`);
      if (options.validation === 'Strict')
        throw cannotHandle(resource, `strict decoding error: ${text.join(', ')}`);
      if (options.validation === 'Warn') for (const one of text) options.warn(one);
    }
    const known = { ...value, apiVersion: groupVersion(resource), kind: resource.kind };
    return resource.group === 'events.k8s.io' ? fromEventsV1(known) : known;
  }

  private decodedBuiltIn(resource: Resource, body: Json): { value: Json; unknown: readonly string[] } {
    const schema = this.schema(resource);
    const { value, unknown, wrong } = decode(schema, body);
    if (wrong !== undefined) throw cannotHandle(resource, wrong);
    value.metadata ??= {};
    return { value: withoutEmpty(schema, value), unknown };
  }

  private decodedCustom(resource: Resource, body: Json): { value: Json; unknown: readonly string[] } {
    const schema = resource.custom?.schema;
    const metadata = decode(modelSchema('V1ObjectMeta'), body.metadata ?? {});
    if (metadata.wrong !== undefined) throw cannotHandle(resource, metadata.wrong);
    const value = { ...copy(body), metadata: withoutEmpty(modelSchema('V1ObjectMeta'), metadata.value) };
    setCustomDefaults(value, schema);
    const unknown = [...prune(value, schema), ...metadata.unknown.map((field) => `metadata.${field}`)];
    return { value, unknown };
  }

  private check(resource: Resource, old: Json, next: Json, subresource: string): void {
    const errors: FieldError[] = [...metadataErrors(next, nameRule(resource.plural))];
    if (old !== undefined) errors.push(...metadataChangeErrors(old, next));
    if (resource.custom !== undefined) {
      const { schema } = resource.custom;
      errors.push(...customErrors(next, schema), ...celErrors(next, old, schema, this.celRules));
    } else if (subresource === '' || next.kind === 'Node') {
      errors.push(...(rulesOf[resource.kind]?.(next) ?? []));
      if (old !== undefined) errors.push(...(changeRulesOf[resource.kind]?.(old, next) ?? []));
      if (resource.kind === 'CustomResourceDefinition') errors.push(...definitionErrors(next, this.celRules));
    }
    if (errors.length > 0) throw invalid(resource.kind, resource.group, next.metadata.name, errors);
  }

  private writer(resource: Resource, subresource: string, options: WriteOptions): Writer {
    return {
      manager: options.manager,
      apiVersion: groupVersion(resource),
      subresource,
      hasStatus: resource.subresources.includes('status'),
      time: this.time(),
    };
  }

  private owned(old: Json, next: Json, resource: Resource, subresource: string, options: WriteOptions): Json {
    const managedFields = afterUpdate(
      old,
      next,
      this.schema(resource),
      this.writer(resource, subresource, options),
    );
    return { ...next, metadata: { ...next.metadata, managedFields } };
  }
}

/** Nothing holds a deleted object any longer. */
export const isFinished = ({ metadata, spec, kind }: Json): boolean =>
  metadata.deletionTimestamp !== undefined &&
  (metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
  (metadata.finalizers ?? []).length === 0 &&
  !(kind === 'Namespace' && (spec?.finalizers ?? []).length > 0);

const cannotHandle = (resource: Resource, why: string): ApiError =>
  badRequest(
    `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ${why}`,
  );

/** Five letters and digits of those that Kubernetes uses. */
function randomSuffix(): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  return [...randomBytes(5)].map((byte) => letters[byte % letters.length]).join('');
}
