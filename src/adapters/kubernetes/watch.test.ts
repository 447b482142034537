/** What a watch survives: cuts, forgotten versions, silence but for bookmarks, half lines, refusals; and what it says then. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '#ports/cluster-api.contract';
import { hurriedClock, serveCluster } from '../../../test/support/cluster-on-server.js';
import { mixedH100 } from '../../../test/support/node-labels.js';
import { wireNode, wirePod } from '../../../test/support/wire-objects.js';
import { kubernetesApi } from './cluster-api.js';

const { signal } = new AbortController();
const one = { 'nvidia.com/mig-1g.10gb': 1 };

async function watched(options: Parameters<typeof serveCluster>[0] = {}) {
  const made = await serveCluster(options);
  onTestFinished(() => made.close());
  made.world.putNode({ name: 'a', labels: mixedH100, capacity: { 'nvidia.com/mig-1g.10gb': 4 } });
  for (let index = 0; index < 5; index += 1)
    made.world.putPod({ name: `p${index}`, wants: one, node: index < 2 ? 'a' : null });
  const watch = await made.api.watch(signal);
  onTestFinished(() => watch.close());
  const names = () => watch.state().pods.map(({ name }) => name);
  return { ...made, watch, names };
}

/** How often the pods were listed whole, page by page counted once. */
function listsOf(requests: readonly { verb: string; resource: string; query: string }[]): number {
  return requests.filter(
    ({ verb, resource, query }) =>
      verb === 'list' &&
      resource === 'pods' &&
      !query.includes('continue') &&
      !query.includes('fieldSelector'),
  ).length;
}

describe('a watch', () => {
  it('that is cut goes on from where it was, without a list', async () => {
    const { server, world, watch, names } = await watched();
    for (let round = 0; round < 3; round += 1) {
      server.cutWatches();
      world.putPod({ name: `while-away-${round}`, wants: one });
      await until(watch, () => names().includes(`while-away-${round}`));
    }
    expect(listsOf(server.requests)).toBe(1);
  });

  it('that ended by its own time goes on the same way', async () => {
    const { server, world, watch, names } = await watched({ adapter: { watchSeconds: 1, random: () => 0 } });
    await new Promise((resolve) => setTimeout(resolve, 1400));
    world.putPod({ name: 'later', wants: one });
    await until(watch, () => names().includes('later'));
    expect(listsOf(server.requests)).toBe(1);
    expect(
      server.requests.filter(({ verb, resource }) => verb === 'watch' && resource === 'pods').length,
    ).toBeGreaterThan(0);
    expect(watch.trouble()).toBeNull();
  });

  it('whose version is forgotten lists again: nothing is lost, invented or made anew', async () => {
    const { server, world, watch, names } = await watched();
    const kept = watch.state().pods.find(({ name }) => name === 'p3');
    const back = server.fault(({ verb }) => (verb === 'watch' ? { kind: 'answer', code: 503 } : undefined));
    server.cutWatches();
    world.putPod({ name: 'new', wants: one });
    await world.removePod('default', 'p4');
    server.compact();
    back();
    await until(watch, () => names().includes('new'));
    expect([...names()].sort()).toEqual(['new', 'p0', 'p1', 'p2', 'p3']);
    expect(watch.state().pods.find(({ name }) => name === 'p3')).toBe(kept);
    expect(listsOf(server.requests)).toBe(2);
  });

  it('that is told in the middle that it is too old lists again', async () => {
    const { server, world, watch, names } = await watched();
    server.expireWatches();
    world.putPod({ name: 'new', wants: one });
    await until(watch, () => names().includes('new'));
    expect([...names()].sort()).toEqual(['new', 'p0', 'p1', 'p2', 'p3', 'p4']);
  });

  it('in which only bookmarks come keeps up with the versions', async () => {
    const { server, world, watch, names } = await watched({ bookmarkEveryMs: 20 });
    // Far more than what is remembered, of other kinds: only a bookmark moves the pods' watch past them.
    for (let index = 0; index < 20; index += 1) world.putConfigMap('default', `c${index}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const before = listsOf(server.requests);
    server.compact();
    await new Promise((resolve) => setTimeout(resolve, 200));
    server.cutWatches();
    world.putPod({ name: 'new', wants: one });
    await until(watch, () => names().includes('new'));
    expect(listsOf(server.requests)).toBe(before);
  });

  it('that is refused says so, and goes on when it may again', async () => {
    const { server, world, watch, names } = await watched();
    const back = server.fault(({ verb }) =>
      verb === 'watch' ? { kind: 'answer', code: 403, message: 'not any more' } : undefined,
    );
    server.cutWatches();
    await until(watch, () => watch.trouble()?.kind === 'forbidden');
    expect(watch.trouble()?.message).toContain('not any more');
    back();
    world.putPod({ name: 'new', wants: one });
    await until(watch, () => names().includes('new'));
    await until(watch, () => watch.trouble() === null);
  });

  it('random cuts, expiries and changes: ends with exactly what the server has', async () => {
    const { server, world, watch, names } = await watched();
    const there = new Set(['p0', 'p1', 'p2', 'p3', 'p4']);
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let step = 0; step < 150; step += 1) {
      const name = `r${random(12)}`;
      switch (random(6)) {
        case 0:
          if (there.delete(name)) await world.removePod('default', name);
          break;
        case 1:
          if (random(4) === 0) server.cutWatches();
          break;
        case 2:
          if (random(6) === 0) server.compact();
          break;
        case 3:
          if (random(6) === 0) server.expireWatches();
          break;
        default:
          there.add(name);
          world.putPod({ name, wants: one, node: random(2) === 0 ? 'a' : null });
      }
    }
    world.putPod({ name: 'last', wants: one });
    there.add('last');
    const wanted = [...there].sort().join();
    await until(watch, () => [...names()].sort().join() === wanted);
    const onNode = watch.state().pods.filter(({ node }) => node === 'a');
    expect([...watch.podsOn('a')].map(({ name }) => name).sort()).toEqual(
      onNode.map(({ name }) => name).sort(),
    );
  });
});

describe('a server that misbehaves', () => {
  /** Lists one node and one pod; `watchPods` answers each watch of the pods. */
  async function odd(watchPods: (response: ServerResponse, nth: number) => void) {
    let nth = 0;
    const withVersion = (object: object, version: string) => {
      const { metadata, ...rest } = object as { metadata: object };
      return { ...rest, metadata: { ...metadata, resourceVersion: version } };
    };
    const pod = (name: string, version: string) => withVersion(wirePod({ name, wants: one }), version);
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://odd');
      const isPods = url.pathname === '/api/v1/pods';
      if (!isPods && url.pathname !== '/api/v1/nodes') {
        response.writeHead(404).end('{}');
      } else if (url.searchParams.get('watch') === null) {
        const items = isPods ? [pod('first', '5')] : [withVersion(wireNode({ name: 'a' }), '3')];
        response.end(JSON.stringify({ metadata: { resourceVersion: '5' }, items }));
      } else if (isPods) {
        watchPods(response, nth++);
      } else {
        response.writeHead(200).flushHeaders();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const folder = mkdtempSync(join(tmpdir(), 'mica-test-'));
    const kubeconfig = join(folder, 'config');
    writeFileSync(
      kubeconfig,
      `{current-context: x, clusters: [{name: c, cluster: {server: "http://127.0.0.1:${(server.address() as AddressInfo).port}"}}],
        users: [{name: u, user: {token: t}}], contexts: [{name: x, context: {cluster: c, user: u}}]}`,
    );
    const api = kubernetesApi({ kubeconfig, clock: hurriedClock, env: {} });
    const watch = await api.watch(signal);
    onTestFinished(async () => {
      await watch.close();
      await api.close();
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    });
    const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
    return { watch, line, pod, names: () => watch.state().pods.map(({ name }) => name) };
  }

  it('half a line is no event: it comes again whole', async () => {
    const added = `${JSON.stringify({ type: 'ADDED', object: { ...wirePod({ name: 'whole', wants: one }), metadata: { name: 'whole', namespace: 'default', uid: 'w', resourceVersion: '6' } } })}\n`;
    const { watch, names } = await odd((response, nth) => {
      if (nth === 0) {
        response.write(added.slice(0, 100));
        setTimeout(() => response.destroy(), 20);
      } else if (nth === 1) {
        // In pieces of a few bytes, through the middle of everything.
        for (let at = 0; at < added.length; at += 7) response.write(added.slice(at, at + 7));
      } else response.flushHeaders();
    });
    await until(watch, () => names().includes('whole'));
    expect(names()).toEqual(['first', 'whole']);
  });

  it('what is no event is said, and what is there is listed again', async () => {
    const { watch, names } = await odd((response, nth) => {
      const bad = [
        '{"type":"ADDED","object":{"metadata":{}}}\n',
        'not json\n',
        '{"type":"BOGUS","object":{}}\n',
        '<html>\n',
      ];
      if (nth < bad.length) response.end(bad[nth]);
      else response.flushHeaders();
    });
    while (watch.trouble() === null) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(watch.trouble()?.message).toContain('not as a Kubernetes API does');
    while (watch.trouble() !== null) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(names()).toEqual(['first']);
  });

  it('an error in the stream is waited out, from where it was', async () => {
    const { watch, names } = await odd((response, nth) => {
      if (nth === 0)
        response.end('{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd is away"}}\n');
      else if (nth === 1)
        response.write(
          `${JSON.stringify({ type: 'DELETED', object: { metadata: { name: 'first', namespace: 'default', resourceVersion: '9' } } })}\n`,
        );
      else response.flushHeaders();
    });
    await until(watch, () => names().length === 0);
  });
});
