/** Behind the proxy of a company. */
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { MicaError } from '#core/errors';
import { fakePrometheus } from '../../../test/support/fake-prometheus.js';
import { prometheusSource } from './source.js';

const variables = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];

beforeEach(() => {
  for (const name of variables) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** Leads whatever name it is asked for to one port of this machine. */
async function proxyTo(port: number): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const proxy: Server = createServer((_, response) => response.writeHead(501).end());
  proxy.on('connect', ({ url = '' }, client, head) => {
    asked.push(url);
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
}

async function failureOf(url: string): Promise<MicaError> {
  const clock = { nowMs: () => 0, sleep: async () => undefined };
  const { source, close } = prometheusSource({ url, clock });
  onTestFinished(close);
  const error: unknown = await source
    .observe({
      window: { startMs: 0, endMs: 3_600_000 },
      owners: { ownersOf: async () => () => null },
      progress: () => undefined,
      signal: new AbortController().signal,
    })
    .catch((reason: unknown) => reason);
  if (!(error instanceof MicaError)) throw new Error(`not a MicaError: ${String(error)}`);
  return error;
}

describe('a proxy of the environment', () => {
  it('is used, but not where NO_PROXY or the name of this machine says otherwise', async () => {
    const fake = await fakePrometheus({ series: [] });
    onTestFinished(() => fake.close());
    const port = Number(new URL(fake.url).port);
    const proxy = await proxyTo(port);
    vi.stubEnv('HTTP_PROXY', proxy.url);
    expect((await failureOf('http://prometheus.invalid:9090')).code).toBe('no-gpu-metrics');
    expect(new Set(proxy.asked)).toEqual(new Set(['prometheus.invalid:9090']));
    const before = proxy.asked.length;
    expect((await failureOf(fake.url)).code).toBe('no-gpu-metrics');
    vi.stubEnv('NO_PROXY', '.invalid');
    expect((await failureOf('http://prometheus.invalid:9090')).code).toBe('server-unreachable');
    expect(proxy.asked).toHaveLength(before);
  });

  it('is named where nothing answers', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:1');
    expect((await failureOf('https://prometheus.invalid')).message).toBe(
      'Nothing answers at https://prometheus.invalid, through the proxy of the environment, (ECONNREFUSED).',
    );
  });
});
