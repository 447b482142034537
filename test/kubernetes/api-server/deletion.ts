/** Deleting: preconditions, grace, finalizers, dependents, and namespaces with everything in them. */
import { copy, drop, type Json } from './json.js';
import { isFinished, type Place, type Registry } from './registry.js';
import { storedAs, type Resource } from './resources.js';
import { conflict } from './status.js';
import { keyOf, unversioned } from './store.js';

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
}

export class Deletion {
  private readonly registry: Registry;
  /** uid of an owner -> where its dependents are. */
  private readonly dependents = new Map<string, Map<string, readonly [where: string, key: string]>>();

  constructor(registry: Registry) {
    this.registry = registry;
    registry.store.onChange((where, { now, before }) => {
      const key = (now ?? before)?.key ?? '';
      const id = `${where} ${key}`;
      for (const { uid } of before?.object.metadata.ownerReferences ?? [])
        this.dependents.get(uid)?.delete(id);
      for (const { uid } of now?.object.metadata.ownerReferences ?? []) {
        const own = this.dependents.get(uid) ?? new Map<string, readonly [string, string]>();
        this.dependents.set(uid, own.set(id, [where, key]));
      }
      if (now === undefined && before !== undefined) setImmediate(() => this.gone(before.object));
    });
  }

  /** Answers the object, and whether it is gone already. */
  delete(place: Place, options: DeleteOptions, dryRun: boolean): { object: Json; gone: boolean } {
    const { resource, namespace, name } = place;
    const live = this.registry.get(place).object;
    checkPreconditions(resource, live, options);
    const key = keyOf(resource.namespaced ? namespace : '', name);
    const next = this.marked(resource, live, options);
    if (isFinished(next)) {
      const last = dryRun ? live : this.registry.remove(resource, key);
      // A pod that goes at once is told with its deletion.
      const { deletionTimestamp, deletionGracePeriodSeconds } = next.metadata;
      const going = { ...last?.metadata, deletionTimestamp, deletionGracePeriodSeconds };
      return { object: resource.kind === 'Pod' ? { ...last, metadata: going } : last, gone: true };
    }
    if (next === live) return { object: live, gone: false };
    const object = dryRun ? next : this.registry.store.commit(storedAs(resource), key, next)?.object;
    if (!dryRun) setImmediate(() => this.collect(resource, object));
    return { object, gone: false };
  }

  private marked(resource: Resource, live: Json, options: DeleteOptions): Json {
    const grace = resource.kind === 'Pod' ? podGrace(live, options) : 0;
    const already = live.metadata.deletionTimestamp !== undefined;
    if (already && grace >= (live.metadata.deletionGracePeriodSeconds ?? 0) && grace > 0) return live;
    if (already && resource.kind !== 'Pod') return live;
    const next = copy(unversioned(live));
    next.metadata.deletionTimestamp = this.registry.time(grace);
    next.metadata.deletionGracePeriodSeconds = grace;
    if (next.metadata.generation !== undefined)
      next.metadata.generation = Number(next.metadata.generation) + 1;
    const finalizer = { Foreground: 'foregroundDeletion', Orphan: 'orphan' }[policyOf(options)];
    if (finalizer !== undefined && this.dependents.get(live.metadata.uid)?.size) {
      next.metadata.finalizers = [...new Set([...(next.metadata.finalizers ?? []), finalizer])];
    }
    if (resource.kind === 'Namespace') {
      drop(next.metadata, 'deletionGracePeriodSeconds');
      next.status = { ...next.status, phase: 'Terminating' };
    }
    return next;
  }

  /** What the garbage collector and the namespace controller do about an object that waits for them. */
  private collect(resource: Resource, object: Json): void {
    const finalizers: readonly string[] = object.metadata.finalizers ?? [];
    if (resource.kind === 'Namespace') this.emptyNamespace(object.metadata.name);
    if (finalizers.includes('orphan')) this.orphan(object.metadata.uid);
    if (finalizers.includes('foregroundDeletion')) this.deleteDependents(object.metadata.uid);
    const own = finalizers.filter(
      (one) => one === 'orphan' || (one === 'foregroundDeletion' && !this.blocked(object.metadata.uid)),
    );
    if (own.length > 0) this.unblock(resource, object, own);
  }

  private blocked(uid: string): boolean {
    return [...(this.dependents.get(uid)?.values() ?? [])].some(([where, key]) => {
      const owners = this.registry.store.of(where).items.get(key)?.object.metadata.ownerReferences ?? [];
      return owners.some((owner: Json) => owner.uid === uid && owner.blockOwnerDeletion === true);
    });
  }

  private unblock(resource: Resource, object: Json, done: readonly string[]): void {
    const { namespace, name } = object.metadata;
    const live = this.registry.find({ resource, namespace, name })?.object;
    if (live === undefined) return;
    const next = copy(unversioned(live));
    next.metadata.finalizers = (next.metadata.finalizers ?? []).filter((one: string) => !done.includes(one));
    const key = keyOf(namespace, name);
    if (isFinished(next)) this.registry.remove(resource, key);
    else this.registry.store.commit(storedAs(resource), key, next);
  }

  private orphan(uid: string): void {
    for (const [where, key] of [...(this.dependents.get(uid)?.values() ?? [])]) {
      const live = this.registry.store.of(where).items.get(key)?.object;
      if (live === undefined) continue;
      const next = copy(unversioned(live));
      next.metadata.ownerReferences = next.metadata.ownerReferences.filter(
        (owner: Json) => owner.uid !== uid,
      );
      this.registry.store.commit(where, key, next);
    }
  }

  private deleteDependents(uid: string): void {
    for (const [where, key] of [...(this.dependents.get(uid)?.values() ?? [])]) {
      const live = this.registry.store.of(where).items.get(key)?.object;
      if (live === undefined || live.metadata.deletionTimestamp !== undefined) continue;
      const others = live.metadata.ownerReferences.filter(
        (owner: Json) => owner.uid !== uid && this.alive(owner, live.metadata.namespace),
      );
      if (others.length > 0) {
        const next = copy(unversioned(live));
        next.metadata.ownerReferences = others;
        this.registry.store.commit(where, key, next);
        continue;
      }
      this.deleteStored(live);
    }
  }

  private alive(owner: Json, namespace: string): boolean {
    const resource = this.registry.resources.ofKind(owner.apiVersion, owner.kind);
    if (resource === undefined) return true;
    const found = this.registry.find({
      resource,
      namespace: resource.namespaced ? namespace : '',
      name: owner.name,
    });
    return found?.object.metadata.uid === owner.uid;
  }

  private deleteStored(object: Json): void {
    const resource = this.registry.resources.ofKind(object.apiVersion, object.kind);
    if (resource === undefined) return;
    const { namespace = '', name, uid } = object.metadata;
    if (this.registry.find({ resource, namespace, name })?.object.metadata.uid !== uid) return;
    this.delete({ resource, namespace, name, subresource: '' }, { propagationPolicy: 'Background' }, false);
  }

  private emptyNamespace(namespace: string): void {
    const resource = this.registry.resources.named('namespaces');
    const live = this.registry.find({ resource, namespace: '', name: namespace })?.object;
    if (live?.status?.phase !== 'Terminating') return;
    let left = 0;
    for (const [, collection] of this.registry.store.all()) {
      for (const key of collection.keys(`${namespace}/`)) {
        const held = collection.items.get(key)?.object;
        if (held === undefined) continue;
        if (held.metadata.deletionTimestamp === undefined) this.deleteStored(held);
        if (collection.items.has(key)) left += 1;
      }
    }
    if (left === 0 && (live.metadata.finalizers ?? []).length === 0)
      this.registry.remove(resource, namespace);
  }

  /** After something went: its dependents go, its owner may, its namespace may. */
  private gone(object: Json): void {
    const { uid, namespace } = object.metadata;
    this.deleteDependents(uid);
    if (this.dependents.get(uid)?.size === 0) this.dependents.delete(uid);
    if (object.kind === 'CustomResourceDefinition') this.deleteInstances(object.metadata.name);
    for (const owner of object.metadata.ownerReferences ?? []) {
      const resource = this.registry.resources.ofKind(owner.apiVersion, owner.kind);
      const live =
        resource === undefined
          ? undefined
          : this.registry.find({
              resource,
              namespace: resource.namespaced ? namespace : '',
              name: owner.name,
            });
      if (live?.object.metadata.finalizers?.includes('foregroundDeletion'))
        this.collect(resource!, live.object);
    }
    if (namespace !== undefined) this.emptyNamespace(namespace);
  }

  private deleteInstances(where: string): void {
    const { store } = this.registry;
    for (const key of [...store.of(where).keys('')]) store.commit(where, key, undefined);
  }
}

function podGrace(pod: Json, options: DeleteOptions): number {
  if (!pod.spec?.nodeName || ['Succeeded', 'Failed'].includes(pod.status?.phase)) return 0;
  const asked = options.gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  return asked < 0 ? 1 : asked;
}

function policyOf({ propagationPolicy, orphanDependents }: DeleteOptions): string {
  return propagationPolicy ?? (orphanDependents === true ? 'Orphan' : 'Background');
}

function checkPreconditions(resource: Resource, live: Json, { preconditions = {} }: DeleteOptions): void {
  const { name, uid, resourceVersion } = live.metadata;
  // In these words a kind stands where a resource should.
  const told = { ...resource, plural: resource.kind };
  if (preconditions.uid !== undefined && preconditions.uid !== uid) {
    throw conflict(
      told,
      name,
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${String(uid)}). The object might have been deleted and then recreated`,
    );
  }
  if (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
    throw conflict(
      told,
      name,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${String(resourceVersion)}). The object might have been modified`,
    );
  }
}
