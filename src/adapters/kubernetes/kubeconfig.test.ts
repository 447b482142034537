/** Which cluster is meant, and which proxy stands before it. */
import { createServer, connect as dial } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hurriedClock, serveCluster } from '../../../test/support/cluster-on-server.js';
import { kubernetesApi } from './cluster-api.js';
import { loadKubeconfig } from './kubeconfig.js';
import { proxyFor } from './proxy.js';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'mica-test-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

function write(path: string, name: string, server: string, current = name): string {
  writeFileSync(
    path,
    `{current-context: "${current}", clusters: [{name: ${name}, cluster: {server: "${server}"}}],
      users: [{name: ${name}, user: {token: t}}], contexts: [{name: ${name}, context: {cluster: ${name}, user: ${name}}}]}`,
  );
  return path;
}

describe('a kubeconfig', () => {
  it('of several files: the first that says something wins, missing ones are passed over', () => {
    const at = folder();
    const one = write(join(at, 'one'), 'one', 'https://one:6443', '');
    const two = write(join(at, 'two'), 'two', 'https://two:6443/');
    const env = { KUBECONFIG: [join(at, 'missing'), one, two].join(delimiter) };
    expect(loadKubeconfig({ env }).server).toBe('https://two:6443');
    expect(loadKubeconfig({ env, context: 'one' }).server).toBe('https://one:6443');
    expect(() => loadKubeconfig({ env, context: 'three' })).toThrow('has no context "three": one, two');
  });

  it('none, or one that is none', () => {
    const at = folder();
    expect(() => loadKubeconfig({ env: { HOME: at } })).toThrow('No kubeconfig was found: there is no');
    expect(() => loadKubeconfig({ env: { KUBECONFIG: join(at, 'x'), HOME: at } })).toThrow(
      '$KUBECONFIG names',
    );
    writeFileSync(join(at, 'bad'), '{ a: [');
    expect(() => loadKubeconfig({ kubeconfig: join(at, 'bad') })).toThrow('is not a kubeconfig');
    const odd = write(join(at, 'odd'), 'odd', 'nonsense');
    expect(() => loadKubeconfig({ kubeconfig: odd })).toThrow('is not an address');
  });
});

describe('the proxy of a server', () => {
  const HTTPS_PROXY = 'http://proxy:3128';
  it.each([
    ['https://api.example.com', undefined, {}, null],
    ['https://api.example.com', undefined, { HTTPS_PROXY }, HTTPS_PROXY],
    ['https://api.example.com', undefined, { https_proxy: 'proxy:3128' }, HTTPS_PROXY],
    ['http://api.example.com', undefined, { HTTPS_PROXY }, null],
    ['https://api.example.com', 'http://other:1', { HTTPS_PROXY, NO_PROXY: '*' }, 'http://other:1'],
    ['https://api.example.com', undefined, { HTTPS_PROXY, NO_PROXY: 'x, example.com' }, null],
    ['https://api.example.com', undefined, { HTTPS_PROXY, NO_PROXY: '.example.com' }, null],
    ['https://example.com', undefined, { HTTPS_PROXY, NO_PROXY: '.example.com' }, HTTPS_PROXY],
    ['https://badexample.com', undefined, { HTTPS_PROXY, NO_PROXY: 'example.com' }, HTTPS_PROXY],
    ['https://10.1.2.3:6443', undefined, { HTTPS_PROXY, NO_PROXY: '10.0.0.0/8' }, null],
    ['https://11.1.2.3:6443', undefined, { HTTPS_PROXY, NO_PROXY: '10.0.0.0/8' }, HTTPS_PROXY],
    [
      'https://api.example.com:6443',
      undefined,
      { HTTPS_PROXY, NO_PROXY: 'api.example.com:443' },
      HTTPS_PROXY,
    ],
    ['https://127.0.0.1:6443', undefined, { HTTPS_PROXY }, null],
  ])('%s %s %j: %s', (server, ofCluster, env, wanted) => {
    expect(proxyFor(server, ofCluster, env)).toBe(wanted);
  });

  it('is gone through, with TLS to the server itself', async () => {
    const made = await serveCluster();
    onTestFinished(() => made.close());
    made.world.putNode({ name: 'a' });
    const asked: string[] = [];
    const proxy = createServer((socket) => {
      socket.once('data', (head) => {
        const [, host = '', port = ''] = /^CONNECT ([^:]+):(\d+) /.exec(String(head)) ?? [];
        asked.push(host);
        const there = dial(Number(port), host, () => {
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
          socket.pipe(there).pipe(socket);
        });
        there.on('error', () => socket.destroy());
        socket.on('error', () => there.destroy());
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void proxy.close());
    const at = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const { readFileSync } = await import('node:fs');
    const config = readFileSync(made.server.kubeconfigPath, 'utf8').replace(
      /( +)server:/,
      `$1proxy-url: ${at}\n$1server:`,
    );
    const kubeconfig = join(folder(), 'config');
    writeFileSync(kubeconfig, config);
    const api = kubernetesApi({ kubeconfig, clock: hurriedClock, env: {} });
    onTestFinished(() => api.close());
    expect((await api.read(new AbortController().signal)).nodes).toHaveLength(1);
    expect(asked).toContain('127.0.0.1');
  });
});
