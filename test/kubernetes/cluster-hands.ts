/** What the suites do to a cluster themselves, by its API alone, so that it works on any: objects with status, and none. */
import { Agent } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { without, type Json } from './api-server/json.js';
import { builtIns, groupVersion, type Resource } from './api-server/resources.js';
import { raw, type RawAnswer, type RawTarget, type RawUser } from './raw.js';

export type Ask = (
  method: string,
  path: string,
  body?: Json,
  headers?: Readonly<Record<string, string>>,
) => Promise<RawAnswer>;

export const mergePatch = { 'content-type': 'application/merge-patch+json' };

export class ClusterHands {
  readonly ask: Ask;

  readonly #agent = new Agent({ keepAlive: true });

  constructor(target: RawTarget, admin: RawUser) {
    this.ask = (method, path, body, headers) => raw(target, admin, method, path, body, headers, this.#agent);
  }

  close(): void {
    this.#agent.destroy();
  }

  /** `apps/v1` and the like. */
  async groupVersions(): Promise<ReadonlySet<string>> {
    const { body } = await this.ask('GET', '/apis');
    const all = (body.groups as readonly Json[]).flatMap(({ versions }) => versions as readonly Json[]);
    return new Set(['v1', ...all.map((one): string => one.groupVersion)]);
  }

  /** By `pods` or `deployments.apps`. */
  async list(resource: string, namespace = ''): Promise<readonly Json[]> {
    const [plural = '', ...group] = resource.split('.');
    const row = builtIns.find((one) => one.plural === plural && one.group === group.join('.'));
    if (row === undefined) throw new Error(`list: no built-in resource ${resource}`);
    const { body } = await this.ask('GET', pathOf(row, namespace));
    return body.items ?? [];
  }

  /** Objects are there afterwards as they are given, status included; a namespace that is missing is made on the way. */
  async seed(objects: readonly Json[]): Promise<void> {
    for (const object of objects) await this.#put(object);
    if (objects.some(({ apiVersion }) => String(apiVersion).startsWith('rbac.')))
      await this.#rightsAreKnown();
  }

  async #put(object: Json): Promise<void> {
    const row = builtIns.find((one) => one.kind === object.kind && groupVersion(one) === object.apiVersion);
    if (row === undefined)
      throw new Error(`seed: ${String(object.kind)} is not built in: apply it with kubectl`);
    const namespace: string = row.namespaced ? (object.metadata.namespace ?? 'default') : '';
    if (namespace !== '') await this.ask('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    const all = pathOf(row, namespace);
    const path = `${all}/${String(object.metadata.name)}`;
    // Its uid is the server's to give.
    const wanted = { ...object, metadata: without(object.metadata, 'uid') };
    const fail = (answer: RawAnswer): never => {
      const { kind, name } = { kind: String(object.kind), name: String(object.metadata.name) };
      throw new Error(`seed: ${kind} ${name}: ${answer.status}, ${String(answer.body.message)}`);
    };
    let now = await this.ask('POST', all, wanted);
    const isNew = now.status === 201;
    if (!isNew && now.body.reason !== 'AlreadyExists') fail(now);
    if (!isNew) now = await this.#change(path, wanted);
    // A node that comes is not ready, says the server; who watches nodes takes that back.
    else if (object.kind === 'Node') now = await this.#change(path, wanted);
    if (now.status >= 300) fail(now);
    if (object.status === undefined || !hasStatus(row)) return;
    const written = await this.ask('PUT', `${path}/status`, {
      ...now.body,
      metadata: { ...now.body.metadata, resourceVersion: undefined },
      status: object.status,
    });
    if (written.status >= 300) fail(written);
  }

  /** Most of a pod cannot be changed: where it runs is bound, and the rest is its metadata. */
  async #change(path: string, wanted: Json): Promise<RawAnswer> {
    const { body: before } = await this.ask('GET', path);
    const diff = mergeDiff(
      { labels: before.metadata.labels ?? {}, annotations: before.metadata.annotations ?? {} },
      { labels: wanted.metadata.labels ?? {}, annotations: wanted.metadata.annotations ?? {} },
    );
    if (before.kind !== 'Pod') {
      const { resourceVersion } = before.metadata;
      return this.ask('PUT', path, { ...wanted, metadata: { ...wanted.metadata, resourceVersion } });
    }
    if (wanted.spec.nodeName !== before.spec.nodeName) {
      const target = { kind: 'Node', name: wanted.spec.nodeName };
      const { name, namespace } = before.metadata;
      await this.ask('POST', `${path}/binding`, { metadata: { name, namespace }, target });
    }
    return this.ask('PATCH', path, { metadata: diff }, mergePatch);
  }

  /** The server reads its own rights by watching: two that come last are known when all are. */
  async #rightsAreKnown(): Promise<void> {
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const name = `known-${Math.random().toString(36).slice(2)}`;
    const metadata = { name };
    const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name }];
    for (const [kind, place, resource] of [
      ['ClusterRole', '', 'nodes'],
      ['Role', '/namespaces/default', 'pods'],
    ] as const) {
      const all = `${rbac}${place}/${kind.toLowerCase()}`;
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name };
      await this.ask('POST', `${all}s`, {
        metadata,
        rules: [{ apiGroups: [''], resources: [resource], verbs: ['get'] }],
      });
      await this.ask('POST', `${all}bindings`, { metadata, roleRef, subjects });
      const spec = { user: name, resourceAttributes: { verb: 'get', resource, namespace: 'default' } };
      await eventually(async () => {
        const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
        const { body } = await this.ask('POST', path, { spec });
        return body.status?.allowed === true;
      });
      await this.ask('DELETE', `${all}bindings/${name}`);
      await this.ask('DELETE', `${all}s/${name}`);
    }
  }

  /** As after its start: what the server made for itself is all that stays. */
  async wipe(groupVersions: ReadonlySet<string>): Promise<void> {
    const served = builtIns.filter(
      (row) => groupVersions.has(groupVersion(row)) && row.plural !== 'namespaces',
    );
    for (const row of served) {
      // A server may have the group's version, and not yet this kind of it.
      const { body } = await this.ask('GET', pathOf(row, ''));
      for (const object of (body.items ?? []) as readonly Json[]) {
        const { name, namespace = '', finalizers, labels = {} } = object.metadata;
        if (isOfServer(row, name, labels)) continue;
        const path = `${pathOf(row, namespace)}/${String(name)}`;
        if (finalizers !== undefined && row.kind !== 'CustomResourceDefinition')
          await this.ask('PATCH', path, { metadata: { finalizers: null } }, mergePatch);
        await this.ask('DELETE', path, { gracePeriodSeconds: 0 });
        if (row.kind === 'CustomResourceDefinition')
          await eventually(async () => (await this.ask('GET', path)).status === 404);
      }
    }
    for (const { metadata } of (await this.ask('GET', '/api/v1/namespaces')).body.items as readonly Json[]) {
      if (/^(default|kube-.*)$/.test(metadata.name)) continue;
      const path = `/api/v1/namespaces/${String(metadata.name)}`;
      await this.ask('DELETE', path);
      await this.ask('PUT', `${path}/finalize`, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: metadata.name },
        spec: { finalizers: [] },
      });
    }
  }
}

function isOfServer(row: Resource, name: string, labels: Readonly<Record<string, string>>): boolean {
  return (
    'kubernetes.io/bootstrapping' in labels ||
    (row.plural === 'services' && name === 'kubernetes') ||
    (row.plural === 'priorityclasses' && name.startsWith('system-')) ||
    name === 'extension-apiserver-authentication' ||
    name === 'kube-root-ca.crt'
  );
}

/** Also where the table does not say so: a budget's is written by nobody but its controller. */
const hasStatus = (row: Resource): boolean => row.subresources.includes('status');

function pathOf(row: Pick<Resource, 'group' | 'version' | 'plural'>, namespace: string): string {
  const base = row.group === '' ? `/api/${row.version}` : `/apis/${groupVersion(row)}`;
  return `${base}/${namespace === '' ? '' : `namespaces/${namespace}/`}${row.plural}`;
}

/** The merge patch that makes `after` of `before`. */
export function mergeDiff(before: Json, after: Json): Json {
  const diff: Json = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[key], after[key]];
    if (is === undefined) diff[key] = null;
    else if (isMap(was) && isMap(is)) {
      const inner = mergeDiff(was, is);
      if (Object.keys(inner as object).length > 0) diff[key] = inner;
    } else if (JSON.stringify(was) !== JSON.stringify(is)) diff[key] = is;
  }
  return diff;
}

/** As the server applies a merge patch. */
export function mergeApply(before: Json, patch: Json): Json {
  const after: Json = { ...before };
  for (const [key, value] of Object.entries(patch as object)) {
    if (value === null) Reflect.deleteProperty(after, key);
    else after[key] = isMap(value) ? mergeApply(isMap(after[key]) ? after[key] : {}, value) : value;
  }
  return after;
}

const isMap = (value: Json): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The test's own time limit is the only one. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await wait(10);
}
