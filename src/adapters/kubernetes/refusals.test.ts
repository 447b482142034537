/** What the API server refuses, as the port says it; connections that go; leases; credentials. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ApiRefusal } from '#ports/cluster-api';
import { hurriedClock, serveCluster } from '../../../test/support/cluster-on-server.js';
import { mixedH100 } from '../../../test/support/node-labels.js';
import { kubernetesApi } from './cluster-api.js';
import { kubernetesLease } from './leader-lease.js';

const { signal } = new AbortController();

async function served() {
  const made = await serveCluster();
  onTestFinished(() => made.close());
  made.world.putNode({ name: 'a', labels: mixedH100 });
  made.world.putPod({ name: 'p', node: 'a', wants: { 'nvidia.com/mig-1g.10gb': 1 } });
  return made;
}

function whyOf(answer: { readonly ok: boolean; readonly why?: ApiRefusal }): ApiRefusal | undefined {
  return answer.why;
}

const pod = { namespace: 'default', name: 'p', uid: 'uid-p' };

describe('refusals', () => {
  it.each([
    [409, 'conflict'],
    [429, 'too-many'],
    [401, 'forbidden'],
    [403, 'forbidden'],
    [422, 'invalid'],
    [500, 'unreachable'],
    [504, 'unreachable'],
  ] as const)('%d is %s', async (code, kind) => {
    const { api, server } = await served();
    server.fault(({ verb }) =>
      verb === 'patch' ? { kind: 'answer', code, message: 'said so', retryAfterSeconds: 7 } : undefined,
    );
    const why = whyOf(await api.patchNode('a', { cordoned: true }));
    expect(why).toMatchObject({ kind, retryAfterMs: 7000, message: expect.stringContaining('said so') });
  });

  it('a connection that goes: whether it was done is not known', async () => {
    const { api, server } = await served();
    for (const when of ['before', 'after'] as const) {
      const back = server.fault(({ resource }) =>
        resource === 'pods/eviction' ? { kind: 'cut', when } : undefined,
      );
      expect(whyOf(await api.evict(pod, null))?.kind).toBe('unreachable');
      back();
    }
    expect(server.requests.filter(({ resource }) => resource === 'pods/eviction')).toHaveLength(2);
  });

  it('taints are written again where somebody else was faster', async () => {
    const { api, server } = await served();
    let conflicts = 2;
    server.fault(({ verb }) =>
      verb === 'patch' && conflicts-- > 0 ? { kind: 'answer', code: 409 } : undefined,
    );
    const answer = await api.patchNode('a', { addTaints: [{ key: 'k', value: '', effect: 'NoSchedule' }] });
    expect(answer).toMatchObject({ ok: true, value: { taints: [{ key: 'k' }] } });
  });

  it('a read waits while the server is busy, and begins anew where it forgot the list', async () => {
    const { api, server, world } = await served();
    for (let index = 0; index < 5; index += 1) world.putNode({ name: `n${index}` });
    const codes = [429, 503];
    let toExpire = 1;
    server.fault(({ verb, resource, query }) => {
      if (verb !== 'list' || resource !== 'nodes') return undefined;
      if (query.includes('continue') && toExpire-- > 0) return { kind: 'answer', code: 410 };
      const code = codes.shift();
      return code === undefined ? undefined : { kind: 'answer', code };
    });
    const { nodes } = await api.read(signal);
    expect(nodes.map(({ name }) => name).sort()).toEqual(['a', 'n0', 'n1', 'n2', 'n3', 'n4']);
  });

  it('a read that is aborted ends at once', async () => {
    const { api, server } = await served();
    server.fault(({ verb }) => (verb === 'list' ? { kind: 'delay', ms: 60_000 } : undefined));
    const stop = new AbortController();
    const reading = api.read(stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(reading).rejects.toThrow('enough');
  });
});

it('an answer that is no node is a refusal, not a crash', async () => {
  const server = createServer((_request, response) => response.end('{"metadata":{}}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'mica-test-'));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = join(folder, 'config');
  writeFileSync(
    kubeconfig,
    `{current-context: x, clusters: [{name: c, cluster: {server: "${url}"}}], users: [{name: u, user: {}}],
      contexts: [{name: x, context: {cluster: c, user: u}}]}`,
  );
  const api = kubernetesApi({ kubeconfig, clock: hurriedClock, env: {} });
  onTestFinished(async () => {
    await api.close();
    server.close();
    rmSync(folder, { recursive: true });
  });
  expect(whyOf(await api.getNode('a'))?.kind).toBe('unreachable');
  expect(whyOf(await api.patchNode('a', { cordoned: true }))?.kind).toBe('unreachable');
  expect(whyOf(await api.getConfigMap('default', 'a'))?.kind).toBe('unreachable');
  await expect(api.read(signal)).rejects.toMatchObject({ code: 'not-the-api' });
});

it('a client certificate is as good as a token', async () => {
  const { server } = await served();
  const api = kubernetesApi({
    kubeconfig: server.admin.certificateKubeconfigPath,
    clock: hurriedClock,
    env: {},
  });
  onTestFinished(() => api.close());
  expect((await api.read(signal)).nodes).toHaveLength(1);
});

it('a lease says when it is not known', async () => {
  const { api, server } = await served();
  const { connection } = api;
  server.fault(({ resource }) => (resource === 'leases' ? { kind: 'answer', code: 500 } : undefined));
  const lease = kubernetesLease({
    connection,
    clock: hurriedClock,
    namespace: 'default',
    name: 'mica-controller',
    identity: 'one',
  });
  expect(await lease.hold()).toMatchObject({ kind: 'failed', why: { kind: 'unreachable' } });
});
