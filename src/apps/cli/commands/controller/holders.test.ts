import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { ClusterState } from '#core/cluster/objects';
import type { News } from '#engines/reconcile/news';
import { aNode, aPod } from '../../../../../test/support/cluster-objects.js';
import { holdersFrom } from './holders.js';

const stops: (() => unknown)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

const state: ClusterState = {
  nodes: [aNode({ name: 'n' })],
  pods: [aPod({ name: 'a', node: 'n', wants: { 'nvidia.com/mig-1g.10gb': 1 } })],
  dra: null,
};

it('does without what a Prometheus does not say, and tells so', async () => {
  const server = createServer((_request, response) => response.writeHead(404).end('nothing here'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const news: News[] = [];
  const holders = holdersFrom(url, {}, (one) => news.push(one));
  expect(await holders(state, ['n'], new AbortController().signal)).toEqual(new Map());
  expect(news).toEqual([{ kind: 'trouble', message: expect.stringContaining('more pods may have to go') }]);
});

it('says nothing where it was told to end meanwhile', async () => {
  const news: News[] = [];
  const holders = holdersFrom('http://127.0.0.1:9', {}, (one) => news.push(one));
  expect(await holders(state, ['n'], AbortSignal.abort())).toEqual(new Map());
  expect(news).toEqual([]);
});
