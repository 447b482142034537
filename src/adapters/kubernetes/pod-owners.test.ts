/** Owners from a Kubernetes API that is strict about paths, paging and credentials. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MicaError } from '#core/errors';
import { firstThatKnows, ownersFromNames } from '#engines/audit/pod-owners';
import { kubernetesOwners } from './pod-owners.js';

interface Thing {
  readonly name: string;
  readonly owners?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly controller?: boolean;
  }[];
}

type Lists = Readonly<Record<string, readonly Thing[]>>;

interface Fake {
  readonly kubeconfig: string;
  readonly asked: string[];
}

/** `expire`: so many continued pages are answered with 410 first. */
async function cluster(
  lists: Lists,
  { token = 'secret-token', expire = 0, status = 200, instead = '' } = {},
): Promise<Fake> {
  const asked: string[] = [];
  let toExpire = expire;
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
    const send = (code: number, body: unknown): void => {
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const problem = (code: number, message: string): void =>
      send(code, { kind: 'Status', status: 'Failure', message, code });
    asked.push(pathname);
    if (status !== 200) {
      problem(status, 'pods is forbidden: User "mica" cannot list resource "pods"');
      return;
    }
    if (instead !== '') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(instead);
      return;
    }
    if (request.headers.authorization !== `Bearer ${token}`) {
      problem(401, 'Unauthorized');
      return;
    }
    if (request.method !== 'GET') {
      problem(405, 'only reading');
      return;
    }
    if (
      !(request.headers.accept ?? '').startsWith(
        'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
      )
    ) {
      problem(406, 'not acceptable');
      return;
    }
    const [, api, namespace, resource] =
      /^(\/api\/v1|\/apis\/apps\/v1|\/apis\/batch\/v1)\/namespaces\/([^/]+)\/(pods|replicasets|jobs)$/.exec(
        pathname,
      ) ?? [];
    const home = { pods: '/api/v1', replicasets: '/apis/apps/v1', jobs: '/apis/batch/v1' }[resource ?? ''];
    if (api === undefined || api !== home) {
      problem(404, 'the server could not find the requested resource');
      return;
    }
    const unknown = [...searchParams.keys()].filter((key) => key !== 'limit' && key !== 'continue');
    if (unknown.length > 0) {
      problem(400, `unknown ${unknown.join()}`);
      return;
    }
    const limit = Number(searchParams.get('limit'));
    const from = searchParams.get('continue');
    if (from !== null && toExpire > 0) {
      toExpire -= 1;
      problem(410, 'The provided continue parameter is too old');
      return;
    }
    const all = lists[`${String(namespace)}/${String(resource)}`] ?? [];
    const start = from === null ? 0 : Number(from);
    const items = all.slice(start, start + limit).map(({ name, owners }) => ({
      metadata: {
        name,
        namespace,
        ...(owners === undefined
          ? {}
          : { ownerReferences: owners.map((owner) => ({ apiVersion: 'v1', uid: 'u', ...owner })) }),
      },
    }));
    const rest = start + limit < all.length ? { continue: String(start + limit) } : {};
    send(200, {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: '1', ...rest },
      items,
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'mica-test-'));
  onTestFinished(async () => {
    rmSync(folder, { recursive: true });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const kubeconfig = join(folder, 'config');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(kubeconfig, kubeconfigFor(url));
  return { kubeconfig, asked };
}

function kubeconfigFor(server: string): string {
  return `apiVersion: v1
kind: Config
current-context: here
clusters: [{ name: c, cluster: { server: "${server}", insecure-skip-tls-verify: true } }]
users: [{ name: u, user: { token: secret-token } }, { name: other, user: { token: wrong-token } }]
contexts: [{ name: here, context: { cluster: c, user: u } }, { name: there, context: { cluster: c, user: other } }]
`;
}

const controller = true;
const things: Lists = {
  'prod/pods': [
    { name: 'chat-7c9f8d5b6b-x2x4z', owners: [{ kind: 'ReplicaSet', name: 'chat-7c9f8d5b6b', controller }] },
    {
      name: 'db-0',
      owners: [
        { kind: 'Backup', name: 'b' },
        { kind: 'StatefulSet', name: 'db', controller },
      ],
    },
    { name: 'lonely' },
    { name: 'stranger', owners: [{ kind: 'PyTorchJob', name: 'llm', controller }] },
  ],
  'prod/replicasets': [
    { name: 'other-1', owners: [] },
    { name: 'chat-7c9f8d5b6b', owners: [{ kind: 'Deployment', name: 'chat', controller }] },
  ],
  'batch/pods': [
    { name: 'nightly-29000000-abcde', owners: [{ kind: 'Job', name: 'nightly-29000000', controller }] },
    { name: 'once-abcde', owners: [{ kind: 'Job', name: 'once', controller }] },
  ],
  'batch/jobs': [
    { name: 'nightly-29000000', owners: [{ kind: 'CronJob', name: 'nightly', controller }] },
    { name: 'once' },
  ],
};
const pods = Object.entries(things).flatMap(([place, all]) =>
  place.endsWith('/pods') ? all.map(({ name }) => ({ namespace: place.split('/')[0]!, pod: name })) : [],
);
const { signal } = new AbortController();

describe('owners from the Kubernetes API', () => {
  it('follows the controllers up, page by page', async () => {
    for (const [pageSize, expire] of [
      [500, 0],
      [1, 0],
      [1, 1],
    ] as const) {
      const { kubeconfig } = await cluster(things, { expire });
      const ownerOf = await kubernetesOwners({ kubeconfig, pageSize }).ownersOf(pods, signal);
      const found = pods.map((pod) => {
        const owner = ownerOf(pod);
        return owner === null ? null : `${owner.kind} ${owner.name} ${owner.via}`;
      });
      expect(found).toEqual([
        'Deployment chat api',
        'StatefulSet db api',
        null,
        'PyTorchJob llm api',
        'CronJob nightly api',
        'Job once api',
      ]);
    }
  });

  it('asks only in the namespaces of the pods, and leaves those that are gone to others', async () => {
    const { kubeconfig, asked } = await cluster(things);
    const gone = { namespace: 'prod', pod: 'gone-6d4cf56db6-x2x4z' };
    const owners = firstThatKnows(kubernetesOwners({ kubeconfig }), ownersFromNames);
    const ownerOf = await owners.ownersOf([gone, pods[0]!], signal);
    expect(asked.every((path) => path.includes('/namespaces/prod/'))).toBe(true);
    expect(ownerOf(pods[0]!)).toEqual({ kind: 'Deployment', name: 'chat', via: 'api' });
    expect(ownerOf(gone)).toMatchObject({ name: 'gone', via: 'name' });
    expect(ownerOf({ namespace: 'no-such', pod: 'x' })).toBe(null);
  });

  it('reads empty lists as Go writes them, and no page for ever', async () => {
    const empty = await cluster(things, { instead: '{"metadata":{},"items":null}' });
    const ownerOf = await kubernetesOwners({ kubeconfig: empty.kubeconfig }).ownersOf(pods, signal);
    expect(pods.map(ownerOf)).toEqual(pods.map(() => null));
    for (const instead of [
      '{"metadata":{"continue":"x"},"items":[]}',
      '{"items":[]}',
      '[]',
      '{"metadata":{}',
    ]) {
      const { kubeconfig } = await cluster(things, { instead });
      expect((await asking({ kubeconfig })).code).toBe('not-the-api');
    }
  });

  it('says what is wrong with the kubeconfig, the server or the rights', async () => {
    const good = await cluster(things);
    const forbidden = await cluster(things, { status: 403 });
    const broken = await cluster(things, { status: 500 });
    const away = join(mkdtempSync(join(tmpdir(), 'mica-test-')), 'config');
    onTestFinished(() => rmSync(join(away, '..'), { recursive: true }));
    const cases = [
      [{ kubeconfig: '/no/such/file' }, 'unreadable-file', 'ENOENT'],
      [{ kubeconfig: good.kubeconfig, context: 'nowhere' }, 'bad-document', 'here, there'],
      [{ kubeconfig: good.kubeconfig, context: 'there' }, 'access-refused', '401'],
      [{ kubeconfig: forbidden.kubeconfig }, 'access-refused', 'cannot list resource'],
      [{ kubeconfig: broken.kubeconfig }, 'server-failed', '500'],
      [{ kubeconfig: away }, 'server-unreachable', 'ECONNREFUSED'],
    ] as const;
    writeFileSync(away, kubeconfigFor('http://127.0.0.1:1'));
    for (const [options, code, words] of cases) {
      const error = await asking(options);
      expect([error.code, error.message.includes(words)], error.message).toEqual([code, true]);
      expect(`${error.message} ${error.next}`).not.toMatch(/secret-token|wrong-token/);
    }
  });
});

async function asking(options: { kubeconfig: string; context?: string }): Promise<MicaError> {
  try {
    await kubernetesOwners(options).ownersOf(pods, signal);
  } catch (error) {
    if (error instanceof MicaError) return error;
    throw error;
  }
  throw new Error('it answered');
}
