/** What the kubeconfig library makes of a kubeconfig, Mica makes of it too: held on kubeconfigs made at random. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { afterAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../../../test/kubernetes/api-server/certificates.js';
import { credentialsOf } from './credentials.js';
import { loadKubeconfig } from './kubeconfig.js';

const at = mkdtempSync(join(tmpdir(), 'mica-test-'));
afterAll(() => rmSync(at, { recursive: true }));

const authority = createAuthority('test-ca');
const identity = authority.client('ann', []);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
writeFileSync(join(at, 'ca.crt'), authority.certificate);
writeFileSync(join(at, 'u.crt'), identity.certificate);
writeFileSync(join(at, 'u.key'), identity.key);

const word = fc.stringMatching(/^[\w.: -]{1,12}$/).filter((text) => text.trim() === text);
const oneOf = (...parts: readonly object[]): fc.Arbitrary<object> => fc.constantFrom(...parts);

const trust = oneOf(
  {},
  { 'certificate-authority': 'ca.crt' },
  { 'certificate-authority': join(at, 'ca.crt') },
  { 'certificate-authority-data': base64(authority.certificate) },
  { 'insecure-skip-tls-verify': true },
);
const certificate = oneOf(
  {},
  { 'client-certificate': 'u.crt', 'client-key': 'u.key' },
  { 'client-certificate-data': base64(identity.certificate), 'client-key-data': base64(identity.key) },
  { 'client-certificate': './u.crt', 'client-key-data': base64(identity.key) },
);
const login = fc.oneof(
  fc.constant({}),
  fc.record({ token: word }),
  fc.record({ username: word, password: word }),
);
const cluster = fc
  .tuple(
    fc.record({
      server: fc.constantFrom(
        'https://a:6443',
        'https://b/',
        'https://[::1]:1/k8s/c',
        'http://127.0.0.1:8001',
      ),
    }),
    trust,
    fc.record({ 'tls-server-name': word, 'proxy-url': fc.webUrl() }, { requiredKeys: [] }),
  )
  .map((parts): object => Object.assign({}, ...parts) as object);
const user = fc
  .tuple(certificate, login, fc.record({ as: word }, { requiredKeys: [] }))
  .map((parts): object => Object.assign({}, ...parts) as object);

const named = (key: string, value: fc.Arbitrary<object>): fc.Arbitrary<readonly object[]> =>
  fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c'), [key]: value }), {
    minLength: 1,
    selector: (entry) => entry.name as unknown,
  });

const kubeconfig = fc.record({
  'current-context': fc.constantFrom('a', 'b', 'c'),
  clusters: named('cluster', cluster),
  users: named('user', user),
  contexts: named(
    'context',
    fc.record({ cluster: fc.constantFrom('a', 'b', 'c'), user: fc.constantFrom('a', 'b', 'c') }),
  ),
});

/** `null`: not a context that can be used. */
async function asTheLibrary(file: string): Promise<object | null> {
  const config = new KubeConfig();
  config.loadFromFile(file);
  const found = config.getCurrentCluster();
  // Mica knows an anonymous user's authority; the library forgets it.
  if (found === null || config.getCurrentUser() === null) return null;
  const isPlain = found.server.startsWith('http:');
  config.clusters = config.clusters.map((one) =>
    one === found && isPlain ? { ...one, skipTLSVerify: true } : one,
  );
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  const basic = typeof options.auth === 'string' ? { authorization: `Basic ${base64(options.auth)}` } : {};
  const headers = Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    server: found.server.replace(/\/+$/, ''),
    proxy: found.proxyUrl ?? '',
    headers: { ...Object.fromEntries(headers), ...basic } as object,
    tls: isPlain ? {} : { ca, cert, key, servername, rejectUnauthorized },
  };
}

async function asMica(file: string): Promise<object> {
  const { server, cluster: found, user: who } = loadKubeconfig({ kubeconfig: file, env: {} });
  return { server, proxy: found['proxy-url'], ...(await credentialsOf(found, who)()) };
}

describe('a kubeconfig', () => {
  it.each(['YAML', 'JSON'])('in %s means what the library takes it for', async (format) => {
    const file = join(at, `config-${format}`);
    let compared = 0;
    const property = fc.asyncProperty(kubeconfig, async (config) => {
      writeFileSync(file, format === 'JSON' ? JSON.stringify(config) : stringify(config));
      const wanted = await asTheLibrary(file);
      if (wanted === null) return;
      compared += 1;
      expect(await asMica(file)).toEqual(wanted);
    });
    await fc.assert(property, { numRuns: 300 });
    expect(compared).toBeGreaterThan(20);
  });
});
