import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { systemClock } from '#adapters/system/clock';
import { buildControllerApp } from './app.js';
import { healthOf } from './health.js';
import { controllerMetrics } from './metrics.js';

const open: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

function start() {
  const health = healthOf(systemClock);
  const metrics = controllerMetrics(systemClock, '1.2.3');
  const app = buildControllerApp({ health, metrics });
  open.push(app);
  return { app, health, metrics };
}

describe('what a controller answers', () => {
  it('says in words whether it lives and is ready', async () => {
    const { app, health } = start();
    const alive = await app.inject('/healthz');
    expect([alive.statusCode, alive.body]).toEqual([200, expect.stringContaining('starting')]);
    const early = await app.inject('/readyz');
    expect([early.statusCode, early.body]).toEqual([503, expect.stringContaining('starting')]);
    health.onNews({ kind: 'following', holder: 'other' });
    expect((await app.inject('/readyz')).statusCode).toBe(200);
  });

  it('gives its metrics in the text format', async () => {
    const { app } = start();
    const { statusCode, headers, body } = await app.inject('/metrics');
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body).toContain('mica_controller_build_info{version="1.2.3"} 1');
    expect(body).toContain('process_cpu_seconds_total');
  });

  it('has nothing else, and takes no body', async () => {
    const { app } = start();
    for (const [method, url, status] of [
      ['GET', '/', 404],
      ['GET', '/metrics/../etc', 404],
      ['HEAD', '/healthz', 404],
      ['POST', '/healthz', 404],
      ['DELETE', '/metrics', 404],
    ] as const)
      expect([url, (await app.inject({ method, url })).statusCode]).toEqual([url, status]);
    const payload = '{"a":1}';
    for (const [method, url] of [
      ['GET', '/metrics'],
      ['POST', '/nowhere'],
    ] as const)
      expect((await app.inject({ method, url, payload })).statusCode).toBe(413);
  });

  it('ends a request that is too long, or none', async () => {
    const { app } = start();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const sent = (text: string): Promise<string> =>
      new Promise((resolve) => {
        let got = '';
        const socket = connect(port, '127.0.0.1', () => socket.write(text));
        socket.on('data', (chunk) => (got += String(chunk)));
        socket.on('close', () => resolve(got));
        socket.on('error', () => resolve(got));
      });
    expect(await sent(`GET /healthz HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await sent('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(
      await sent(
        'GET /healthz HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      ),
    ).toMatch(/^HTTP\/1\.1 413 /);
  });
});
