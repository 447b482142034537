/**
 * A cluster to test against: the API server in memory, or a real kube-apiserver where KUBEBUILDER_ASSETS names one. What
 * a suite does to either, it does through the API.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Identity } from './api-server/certificates.js';
import type { Json } from './api-server/json.js';
import { kubeconfig } from './api-server/kubeconfig.js';
import { startApiServer, type ApiServer, type LoggedRequest } from './api-server/server.js';
import { ClusterHands, type Ask } from './cluster-hands.js';
import { hasAssets, startRealServer, type RealServer } from './real-server.js';

export type AskedRequest = Pick<
  LoggedRequest,
  'method' | 'path' | 'verb' | 'resource' | 'namespace' | 'user' | 'status'
>;

export interface TestUser extends Identity {
  readonly kubeconfigPath: string;
}

export interface TestCluster {
  readonly kind: 'in-memory' | 'real';
  readonly url: string;
  readonly ca: string;
  /** `v1.34.1` */
  readonly version: string;
  /** Whether it is of 1.MINOR or newer. */
  readonly isAtLeast: (minor: number) => boolean;
  /** Whether it has a group's version, as `policy/v1`. */
  readonly serves: (groupVersion: string) => boolean;
  readonly admin: TestUser;
  /** Who may do what its RBAC objects say, and no more; known by a client certificate. */
  readonly user: (name: string, groups?: readonly string[]) => TestUser;
  /** A request of the administrator. */
  readonly ask: Ask;
  /** Objects with their status; what is there already becomes as given. */
  readonly seed: (objects: readonly Json[]) => Promise<void>;
  /** By `pods` or `deployments.apps`. */
  readonly list: (resource: string, namespace?: string) => Promise<readonly Json[]>;
  /** What was asked of it so far; a watch is there once it has ended. */
  readonly requests: () => readonly AskedRequest[];
  /** Older versions are gone, as after the compaction that a server makes every few minutes. */
  readonly forget: () => Promise<void>;
  /** Garbage collection, namespaces and budgets run by themselves; a bare kube-apiserver has none of them. */
  readonly hasControllers: boolean;
  /** The back doors of the API server in memory, for faults alone; where there are none, this throws. */
  readonly double: () => ApiServer;
  readonly close: () => Promise<void>;
}

/** Why suites of a real server's own do not run, and how they do. */
export const realServerTitle = (name: string): string =>
  hasAssets
    ? name
    : `${name} [KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver; to run it: CONTRIBUTING.md, "Against a real kube-apiserver"]`;
export { hasAssets as hasRealServer };

/** For suites in which pods are evicted: whether this cluster cannot, and a title that says so. */
export async function evictions(): Promise<{
  readonly missing: boolean;
  readonly title: (name: string) => string;
}> {
  // The API server in memory is as new as can be.
  if (!hasAssets) return { missing: false, title: (name) => name };
  const cluster = await openTestCluster();
  const { version } = cluster;
  const missing = !cluster.serves('policy/v1');
  await cluster.close();
  const why = missing ? ` [${version} has no policy/v1: its eviction is of Kubernetes 1.22]` : '';
  return { missing, title: (name) => `${name}${why}` };
}

export async function openTestCluster(): Promise<TestCluster> {
  return hasAssets ? openReal() : openInMemory();
}

async function openInMemory(): Promise<TestCluster> {
  const server = await startApiServer();
  const { url, ca } = server;
  return opened({
    kind: 'in-memory',
    url,
    ca,
    issue: (name, groups) => server.identity(name, groups),
    requests: () => server.requests,
    forget: () => {
      server.compact();
      return Promise.resolve();
    },
    hasControllers: true,
    double: () => server,
    close: () => server.close(),
  });
}

/** A start takes seconds: within one test file a server is used again, when it has been wiped. */
const idle: RealServer[] = [];

async function openReal(): Promise<TestCluster> {
  const server = idle.pop() ?? (await startRealServer());
  const { url, ca, authority } = server;
  const before = server.audit().length;
  const cluster = await opened({
    kind: 'real',
    url,
    ca,
    issue: (name, groups) => authority.client(name, groups),
    requests: () => server.audit().slice(before).flatMap(asAsked),
    forget: () => server.compact(),
    hasControllers: false,
    double: () => {
      throw new Error('this suite needs the API server in memory');
    },
    close: async () => {
      const hands = new ClusterHands(server, cluster.admin);
      await hands.wipe(await hands.groupVersions());
      hands.close();
      idle.push(server);
    },
  });
  return cluster;
}

type Begun = Omit<
  TestCluster,
  'version' | 'isAtLeast' | 'serves' | 'admin' | 'user' | 'ask' | 'seed' | 'list'
> & {
  readonly issue: (name: string, groups: readonly string[]) => Identity;
};

async function opened({ issue, close, ...begun }: Begun): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'mica-test-cluster-'));
  const user = (name: string, groups: readonly string[] = []): TestUser => {
    const identity = issue(name, [...groups, ...serviceAccountGroups(name)]);
    const kubeconfigPath = join(folder, `${name.replaceAll(/[^\w-]/g, '-')}.kubeconfig`);
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const credentials = {
      'client-certificate-data': base64(identity.certificate),
      'client-key-data': base64(identity.key),
    };
    writeFileSync(kubeconfigPath, kubeconfig(begun.url, begun.ca, credentials), { mode: 0o600 });
    return { ...identity, kubeconfigPath };
  };
  const admin = user('admin', ['system:masters']);
  const hands = new ClusterHands(begun, admin);
  const groupVersions = await hands.groupVersions();
  const { body: version } = await hands.ask('GET', '/version');
  return {
    ...begun,
    version: version.gitVersion,
    isAtLeast: (minor) => Number.parseInt(version.minor) >= minor,
    serves: (groupVersion) => groupVersions.has(groupVersion),
    admin,
    user,
    ask: hands.ask,
    seed: (objects) => hands.seed(objects),
    list: (resource, namespace) => hands.list(resource, namespace),
    close: async () => {
      hands.close();
      rmSync(folder, { recursive: true, force: true });
      await close();
    },
  };
}

/** A token of an account says so by itself; a certificate has to. */
function serviceAccountGroups(name: string): readonly string[] {
  const found = /^system:serviceaccount:([^:]+):[^:]+$/.exec(name);
  return found === null ? [] : ['system:serviceaccounts', `system:serviceaccounts:${found[1] ?? ''}`];
}

/** The server's requests to itself are nobody's business. */
function asAsked({
  verb,
  user,
  objectRef = {},
  requestURI,
  responseStatus = {},
}: Json): readonly AskedRequest[] {
  if (/^system:(apiserver|kube-)/.test(user.username)) return [];
  const { resource = '', subresource, namespace = '' } = objectRef;
  const [path = ''] = String(requestURI).split('?');
  return [
    {
      method: methods[String(verb)] ?? 'GET',
      path,
      verb,
      resource: subresource === undefined ? resource : `${String(resource)}/${String(subresource)}`,
      namespace,
      user: user.username,
      status: responseStatus.code ?? 0,
    },
  ];
}

const methods: Readonly<Record<string, string>> = {
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
};
