/** HTTPS with an authority of one's own and with client certificates. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { MicaError } from '#core/errors';
import type { Clock } from '#ports/clock';
import { fakePrometheus } from '../../../test/support/fake-prometheus.js';
import { requires } from '../../../test/tooling/requires.js';
import type { PrometheusTls } from './endpoint.js';
import { prometheusSource } from './source.js';

const openssl = requires('openssl');
/** On which waiting takes no time. */
const clock: Clock = { nowMs: () => 0, sleep: () => Promise.resolve() };

describe.skipIf(openssl.missing)(openssl.title('a Prometheus behind HTTPS'), () => {
  let folder = '';
  const file = (name: string): string => join(folder, name);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mica-test-'));
    for (const name of ['server', 'client']) {
      const made = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)];
      const about = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...made, ...about],
        { stdio: 'ignore' },
      );
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The code of the failure; the server has no metrics, so this one says that it was reached. */
  async function ask(tls: PrometheusTls, wantsClient: boolean): Promise<string> {
    const fake = await fakePrometheus({
      series: [],
      tls: {
        key: readFileSync(file('server.key')),
        cert: readFileSync(file('server.crt')),
        ...(wantsClient
          ? { ca: readFileSync(file('client.crt')), requestCert: true, rejectUnauthorized: true }
          : {}),
      },
    });
    const { source, close } = prometheusSource({ url: fake.url, tls, clock });
    onTestFinished(async () => {
      await close();
      await fake.close();
    });
    const looking = source.observe({
      window: { startMs: 0, endMs: 3_600_000 },
      owners: { ownersOf: async () => () => null },
      progress: () => undefined,
      signal: new AbortController().signal,
    });
    return looking.then(
      () => 'nothing',
      (error: unknown) => (error instanceof MicaError ? error.code : String(error)),
    );
  }

  it('is believed with its authority, or when it need not be', async () => {
    expect(await ask({}, false)).toBe('server-unreachable');
    expect(await ask({ caFile: file('server.crt') }, false)).toBe('no-gpu-metrics');
    expect(await ask({ caFile: file('client.crt') }, false)).toBe('server-unreachable');
    expect(await ask({ insecure: true }, false)).toBe('no-gpu-metrics');
  });

  it('is shown a client certificate where it wants one', async () => {
    const pair = { certFile: file('client.crt'), keyFile: file('client.key') };
    expect(await ask({ caFile: file('server.crt'), ...pair }, true)).toBe('no-gpu-metrics');
    // How the server says no, if it says anything, depends on the version of TLS.
    expect(await ask({ caFile: file('server.crt') }, true)).toMatch(/^(access-refused|server-unreachable)$/);
  });

  it('is not asked without the files that are named', () => {
    expect(() => prometheusSource({ url: 'https://x', tls: { caFile: file('none.crt') }, clock })).toThrow(
      /none\.crt, the CA certificate, cannot be read \(ENOENT\)/,
    );
  });
});
