/**
 * A strict Kubernetes API server in memory, for tests: HTTPS with its own authority, users with tokens and certificates, a
 * kubeconfig for each. It refuses what the real one refuses. Controllers that live elsewhere in a cluster are here where an
 * API is useless without them: garbage collection, namespaces, budgets. There is no scheduler and no kubelet.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from './api.js';
import { createAuthority, type Identity } from './certificates.js';
import type { CelRules } from './crd/definitions.js';
import { definedResources, definitionErrors, established } from './crd/definitions.js';
import { decode } from './decode.js';
import { setDefaults } from './defaults.js';
import type { FaultPlan, SeenRequest } from './faults.js';
import { handle } from './handler.js';
import { copy, type Json } from './json.js';
import { kubeconfig } from './kubeconfig.js';
import { bootstrapRoles } from './rbac.js';
import { storedAs } from './resources.js';
import { keyOf } from './store.js';
import { Users } from './users.js';

export interface ApiServerOptions {
  readonly now?: () => Date;
  readonly celRules?: CelRules;
  readonly bookmarkEveryMs?: number;
  readonly watchList?: boolean;
}

export interface Access {
  readonly name: string;
  readonly token: string;
  readonly kubeconfigPath: string;
  /** The same user, known by a client certificate. */
  readonly certificateKubeconfigPath: string;
}

export interface LoggedRequest extends SeenRequest {
  /** 0 where the connection went before there was one. */
  readonly status: number;
}

export interface ApiServer {
  readonly url: string;
  /** The authority that the server's certificate is from. */
  readonly ca: string;
  readonly admin: Access;
  readonly kubeconfigPath: string;
  readonly users: { readonly add: (name: string, groups?: readonly string[]) => Access };
  /** A client certificate of a user. */
  readonly identity: (name: string, groups: readonly string[]) => Identity;
  /** Puts objects there as they are, with status; namespaces come by themselves. */
  readonly seed: (objects: readonly Json[]) => void;
  /** By `pods` or `deployments.apps`; what the store has, frozen. */
  readonly get: (resource: string, name: string, namespace?: string) => Json;
  readonly list: (resource: string, namespace?: string) => readonly Json[];
  readonly requests: LoggedRequest[];
  /** Asked before each request; answers how to take the plan back. */
  readonly fault: (plan: FaultPlan) => () => void;
  /** Forgets all history: older versions are gone, as after etcd's compaction. */
  readonly compact: () => void;
  readonly cutWatches: () => void;
  readonly expireWatches: () => void;
  readonly openWatches: () => number;
  readonly close: () => Promise<void>;
}

const requestLogLimit = 200_000;

export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const api = new Api({
    now: options.now ?? (() => new Date()),
    celRules: options.celRules ?? new Map(),
    bookmarkEveryMs: options.bookmarkEveryMs ?? 60_000,
    watchList: options.watchList ?? true,
  });
  const folder = mkdtempSync(join(tmpdir(), 'mica-api-server-'));
  const authority = createAuthority('mica-test-ca');
  const own = authority.server(['localhost', 'kubernetes'], ['127.0.0.1']);
  const users = new Users();
  const plans = new Set<FaultPlan>();
  const requests: LoggedRequest[] = [];
  const log = (seen: SeenRequest, status: number): void => {
    if (requests.length < requestLogLimit) requests.push({ ...seen, status });
  };
  let url = '';
  const server = createServer(
    {
      cert: own.certificate,
      key: own.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) =>
      void handle({ api, url, userOf: (from) => users.of(from), plans, log }, request, response),
  );
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const add = (name: string, groups: readonly string[] = []): Access => {
    const { token } = users.add(name, groups);
    const identity = authority.client(name, groups);
    const write = (suffix: string, user: Json): string => {
      const path = join(folder, `${name.replaceAll(/[^\w-]/g, '-')}${suffix}.kubeconfig`);
      writeFileSync(path, kubeconfig(url, authority.certificate, user), { mode: 0o600 });
      return path;
    };
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    return {
      name,
      token,
      kubeconfigPath: write('', { token }),
      certificateKubeconfigPath: write('-certificate', {
        'client-certificate-data': base64(identity.certificate),
        'client-key-data': base64(identity.key),
      }),
    };
  };
  seedInto(api, [...initialNamespaces, ...bootstrapRoles]);
  const admin = add('admin', ['system:masters']);
  const collectionOf = (resource: string): string => {
    const [plural = '', ...group] = resource.split('.');
    const row = api.resources.list().find((one) => one.plural === plural && one.group === group.join('.'));
    if (row === undefined) throw new Error(`the API server has no ${resource}`);
    return storedAs(row);
  };
  return {
    url,
    ca: authority.certificate,
    admin,
    kubeconfigPath: admin.kubeconfigPath,
    users: { add },
    identity: (name, groups) => authority.client(name, groups),
    seed: (objects) => seedInto(api, objects),
    get: (resource, name, namespace) =>
      api.store.of(collectionOf(resource)).items.get(keyOf(namespace, name))?.object,
    list: (resource, namespace = '') => {
      if (resource === 'poddisruptionbudgets.policy' && namespace !== '') api.budgets.refresh(namespace);
      const prefix = namespace === '' ? '' : `${namespace}/`;
      return api.store
        .snapshot(collectionOf(resource), prefix, api.store.version, '')
        .map(({ object }) => object);
    },
    requests,
    fault: (plan) => {
      plans.add(plan);
      return () => void plans.delete(plan);
    },
    compact: () => api.store.compact(),
    cutWatches: () => api.watches.cut(),
    expireWatches: () => api.watches.expire(),
    openWatches: () => api.watches.count,
    close: async () => {
      api.watches.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const initialNamespaces: readonly Json[] = ['default', 'kube-system', 'kube-public', 'kube-node-lease'].map(
  namespaceCalled,
);

function namespaceCalled(name: string): Json {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {}, status: { phase: 'Active' } };
}

/** A seeded object has fields that its kind has; whether it is wise is the test's business. */
function seedInto(api: Api, objects: readonly Json[]): void {
  const { registry, resources, store } = api;
  const time = registry.time();
  const batches = new Map<string, [string, Json][]>();
  const namespaces = new Set(store.of('namespaces.').items.keys());
  const put = (object: Json): void => {
    const resource = resources.ofKind(object.apiVersion, object.kind);
    if (resource === undefined)
      throw new Error(`the API server has no ${String(object.apiVersion)} ${String(object.kind)}`);
    const { unknown, wrong, value } =
      resource.custom === undefined
        ? decode(registry.schema(resource), object)
        : { unknown: [], wrong: undefined, value: copy(object) };
    if (wrong !== undefined || unknown.length > 0) {
      throw new Error(
        `seed: ${resource.kind} ${String(object.metadata?.name)}: ${wrong ?? `unknown field ${unknown.join(', ')}`}`,
      );
    }
    const { metadata } = value;
    if (resource.namespaced) metadata.namespace ??= 'default';
    metadata.uid ??= randomUUID();
    metadata.creationTimestamp ??= time;
    if (resource.counted) metadata.generation ??= 1;
    setDefaults(value);
    let made = value;
    if (resource.kind === 'Pod') made.status = { phase: 'Pending', ...made.status };
    if (resource.kind === 'CustomResourceDefinition') {
      const [problem] = definitionErrors(made, api.options.celRules);
      if (problem !== undefined) throw new Error(`seed: ${problem.field}: ${problem.message}`);
      made = established(made, time);
      resources.define(metadata.name, definedResources(made));
    }
    const where = storedAs(resource);
    if (!batches.has(where)) batches.set(where, []);
    batches.get(where)?.push([keyOf(metadata.namespace, metadata.name), made]);
    if (resource.kind === 'Namespace') namespaces.add(metadata.name);
    else if (resource.namespaced && !namespaces.has(metadata.namespace))
      put(namespaceCalled(metadata.namespace));
  };
  for (const object of objects) put(object);
  for (const [where, batch] of batches) store.seed(where, batch);
}
