/** etcd and kube-apiserver of the folder that KUBEBUILDER_ASSETS names, as envtest starts them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createAuthority, type Identity } from './api-server/certificates.js';
import type { Json } from './api-server/json.js';
import { kubeconfig } from './api-server/kubeconfig.js';
import { builtIns, groupVersion } from './api-server/resources.js';

export interface TestCluster {
  readonly kind: 'in-memory' | 'real';
  readonly url: string;
  readonly adminKubeconfigPath: string;
  /** A kubeconfig of a user who may do what its RBAC objects say, and no more. */
  readonly kubeconfigFor: (user: string, groups?: readonly string[]) => string;
  /** Objects with their status. */
  readonly seed: (objects: readonly Json[]) => Promise<void>;
  /** By `pods` or `deployments.apps`. */
  readonly list: (resource: string, namespace?: string) => Promise<readonly Json[]>;
  /** Garbage collection, namespaces and budgets run by themselves; a bare kube-apiserver has none of them. */
  readonly hasControllers: boolean;
  readonly close: () => Promise<void>;
}

const folderOfAssets = process.env['KUBEBUILDER_ASSETS'] ?? '';

export function hasRealServer(): boolean {
  return (
    folderOfAssets !== '' &&
    ['etcd', 'kube-apiserver'].every((name) => existsSync(join(folderOfAssets, name)))
  );
}

export async function startRealCluster(): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'mica-real-cluster-'));
  const put = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  const authority = createAuthority('mica-test-ca');
  const own = authority.server(
    ['localhost', 'kubernetes', 'kubernetes.default.svc'],
    ['127.0.0.1', '10.0.0.1'],
  );
  const accounts = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const ca = put('ca.crt', authority.certificate);
  const url = `https://127.0.0.1:${port}`;
  const etcdUrl = `http://127.0.0.1:${client}`;
  const children: ChildProcess[] = [];
  const start = (name: string, flags: readonly string[]): void => {
    children.push(spawn(join(folderOfAssets, name), flags, { stdio: 'ignore' }));
  };
  const close = async (): Promise<void> => {
    for (const child of children.toReversed()) await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  start('etcd', [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=http://127.0.0.1:${peer}`,
    '--unsafe-no-fsync',
  ]);
  start('kube-apiserver', [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${folder}`,
    `--tls-cert-file=${put('server.crt', own.certificate)}`,
    `--tls-private-key-file=${put('server.key', own.key)}`,
    `--client-ca-file=${ca}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${put('accounts.pub', accounts.publicKey)}`,
    `--service-account-signing-key-file=${put('accounts.key', accounts.privateKey)}`,
    // There is no controller that would make the accounts which pods are checked for.
    '--disable-admission-plugins=ServiceAccount',
    '--allow-privileged=true',
  ]);
  const admin = authority.client('admin', ['system:masters']);
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const configOf = (name: string, identity: Identity): string => {
    const user = {
      'client-certificate-data': base64(identity.certificate),
      'client-key-data': base64(identity.key),
    };
    return put(`${name.replaceAll(/[^\w-]/g, '-')}.kubeconfig`, kubeconfig(url, authority.certificate, user));
  };
  const ask = (method: string, path: string, body?: Json): Promise<{ code: number; body: Json }> =>
    send(url, authority.certificate, admin, method, path, body);
  try {
    await ready(ask, children);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    kind: 'real',
    url,
    adminKubeconfigPath: configOf('admin', admin),
    kubeconfigFor: (user, groups = []) => configOf(user, authority.client(user, groups)),
    seed: (objects) => seed(ask, objects),
    list: async (resource, namespace = '') => {
      const [plural = '', ...group] = resource.split('.');
      const row = builtIns.find((one) => one.plural === plural && one.group === group.join('.'));
      if (row === undefined) throw new Error(`list: no built-in resource ${resource}`);
      const { body } = await ask('GET', pathOf(row, namespace));
      return body.items;
    },
    hasControllers: false,
    close,
  };
}

type Ask = (method: string, path: string, body?: Json) => Promise<{ code: number; body: Json }>;

function pathOf(row: { group: string; version: string; plural: string }, namespace: string): string {
  const base = row.group === '' ? `/api/${row.version}` : `/apis/${groupVersion(row)}`;
  return `${base}/${namespace === '' ? '' : `namespaces/${namespace}/`}${row.plural}`;
}

/** Made first, then given their status; a namespace that is missing is made on the way. */
async function seed(ask: Ask, objects: readonly Json[]): Promise<void> {
  for (const object of objects) {
    const row = builtIns.find((one) => one.kind === object.kind && groupVersion(one) === object.apiVersion);
    if (row === undefined)
      throw new Error(`seed: ${String(object.kind)} is not built in: apply it with kubectl`);
    const namespace: string = row.namespaced ? (object.metadata.namespace ?? 'default') : '';
    if (namespace !== '') await ask('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    const path = pathOf(row, namespace);
    const made = await ask('POST', path, object);
    if (made.code >= 300)
      throw new Error(`seed: ${String(object.metadata.name)}: ${String(made.body.message)}`);
    if (object.status === undefined || !row.subresources.includes('status')) continue;
    const next = { ...made.body, status: { ...made.body.status, ...object.status } };
    const put = await ask('PUT', `${path}/${String(made.body.metadata.name)}/status`, next);
    if (put.code >= 300)
      throw new Error(`seed: ${String(object.metadata.name)}: ${String(put.body.message)}`);
  }
}

async function ready(ask: Ask, children: readonly ChildProcess[]): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (children.some((child) => child.exitCode !== null))
      throw new Error('etcd or kube-apiserver ended at once');
    const answer = await ask('GET', '/readyz').catch(() => null);
    if (answer?.code === 200) return;
    await wait(100);
  }
  throw new Error('kube-apiserver was not ready within a minute');
}

function send(
  url: string,
  ca: string,
  identity: Identity,
  method: string,
  path: string,
  body?: Json,
): Promise<{ code: number; body: Json }> {
  return new Promise((resolve, reject) => {
    const options = {
      method,
      ca,
      cert: identity.certificate,
      key: identity.key,
      headers: { 'content-type': 'application/json' },
    };
    const request = httpsRequest(`${url}${path}`, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ code: response.statusCode ?? 0, body: text.startsWith('{') ? JSON.parse(text) : text }),
      );
    });
    request.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  await gone;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
