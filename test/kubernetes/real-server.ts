/** etcd and kube-apiserver of the folder that KUBEBUILDER_ASSETS names, started as envtest starts them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, Socket, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createAuthority, type Authority } from './api-server/certificates.js';
import type { Json } from './api-server/json.js';
import { raw } from './raw.js';

export interface RealServer {
  readonly url: string;
  readonly ca: string;
  readonly authority: Authority;
  readonly folder: string;
  readonly pids: () => readonly number[];
  /** What both said of late. */
  readonly said: () => readonly string[];
  /** What was asked of it, in order; a watch is there once it has ended. */
  readonly audit: () => readonly Json[];
  /** All history goes from etcd. */
  readonly compact: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const folderOfAssets = process.env['KUBEBUILDER_ASSETS'] ?? '';
const programs = ['etcd', 'kube-apiserver'] as const;

export const hasAssets: boolean =
  folderOfAssets !== '' && programs.every((name) => existsSync(join(folderOfAssets, name)));

/**
 * Nothing is left behind, however this process ends: a shell holds the program, and kills it when the pipe from us ends.
 * The last one out takes the folder away.
 */
const guardian = [
  // The shell's own words go nowhere: writing them to us would end it once we are gone.
  'exec 3<&0 4>&2 2>/dev/null; "$@" 2>&4 & child=$!; (read -r _ <&3; kill -9 $child) & reader=$!',
  'wait $child; code=$?; [ $code = 137 ] && rm -rf "$0"; kill $reader; exit $code',
].join('\n');

export async function startRealServer(): Promise<RealServer> {
  const folder = mkdtempSync(join(tmpdir(), 'mica-real-cluster-'));
  const put = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const [client, peer, port] = await freePorts(3);
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
  const url = `https://127.0.0.1:${port}`;
  const etcdUrl = `http://127.0.0.1:${client}`;
  const auditPath = join(folder, 'audit.log');
  const children: ChildProcess[] = [];
  const said: string[] = [];
  const start = (name: (typeof programs)[number], flags: readonly string[]): void => {
    const child = spawn('sh', ['-c', guardian, folder, join(folderOfAssets, name), ...flags], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    child.stderr.on('data', (text: Buffer) => {
      said.push(String(text));
      if (said.length > 200) said.shift();
    });
    // Neither the program nor its pipes keep this process from ending.
    child.unref();
    for (const pipe of [child.stdin, child.stderr]) if (pipe instanceof Socket) pipe.unref();
    children.push(child);
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
    `--client-ca-file=${put('ca.crt', authority.certificate)}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${put('accounts.pub', accounts.publicKey)}`,
    `--service-account-signing-key-file=${put('accounts.key', accounts.privateKey)}`,
    `--audit-policy-file=${put('audit.yaml', auditPolicy)}`,
    `--audit-log-path=${auditPath}`,
    // There is no controller that would make the accounts which pods are checked for.
    '--disable-admission-plugins=ServiceAccount',
    '--allow-privileged=true',
    // What a watch of these may begin with is etcd's history, which can be compacted; a cache would still know.
    '--watch-cache-sizes=leases.coordination.k8s.io#0',
  ]);
  try {
    await ready({ url, ca: authority.certificate }, children, said);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    ca: authority.certificate,
    authority,
    folder,
    pids: () => children.flatMap(({ pid }) => pid ?? []),
    said: () => said,
    audit: () => readFileSync(auditPath, 'utf8').split('\n').filter(Boolean).map(asJson),
    compact: async () => {
      const { header } = await inEtcd(etcdUrl, 'range', { key: 'AA==' });
      await inEtcd(etcdUrl, 'compaction', { revision: header.revision, physical: true });
    },
    close,
  };
}

async function inEtcd(url: string, call: string, body: Json): Promise<Json> {
  const answer = await fetch(`${url}/v3/kv/${call}`, { method: 'POST', body: JSON.stringify(body) });
  return answer.json();
}

const asJson = (line: string): Json => JSON.parse(line);

const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules: [{ level: Metadata }]
`;

async function ready(
  server: { readonly url: string; readonly ca: string },
  children: readonly ChildProcess[],
  said: readonly string[],
): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (children.some((child) => child.exitCode !== null))
      throw new Error(`etcd or kube-apiserver ended at once: ${said.join('').slice(-2000)}`);
    const answer = await raw(server, '', 'GET', '/readyz').catch(() => null);
    if (answer?.status === 200) return;
    await wait(100);
  }
  throw new Error(`kube-apiserver was not ready within a minute: ${said.join('').slice(-2000)}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.ref();
  child.stdin?.end();
  await gone;
}

/** All held at once, so that no two are the same. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
