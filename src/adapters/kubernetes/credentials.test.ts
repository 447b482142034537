/** Credentials of every form, as a server sees them, and their renewal while a connection is open. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket, type PeerCertificate } from 'node:tls';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createAuthority } from '../../../test/kubernetes/api-server/certificates.js';
import { connect, type Connection } from './connection.js';
import type { ClusterChoice } from './kubeconfig.js';

interface Seen {
  /** Of the client's certificate, where our authority signed it. */
  readonly certified: string | null;
  readonly serverName: string | false;
  readonly headers: IncomingHttpHeaders;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const authority = createAuthority('test-ca');
const own = authority.server(['localhost', 'kubernetes'], ['127.0.0.1']);
const server = createServer(
  {
    cert: own.certificate,
    key: own.key,
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: false,
  },
  ({ socket, headers }, response) => {
    if (!(socket instanceof TLSSocket)) throw new Error('not over TLS');
    // A resumed session has no certificate.
    const { subject } = socket.getPeerCertificate() as Partial<PeerCertificate>;
    const certified = socket.authorized ? (subject?.CN ?? null) : null;
    response.end(
      JSON.stringify({
        certified,
        serverName: (socket as { servername?: string | false }).servername,
        headers,
      }),
    );
  },
);
let port = 0;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'mica-test-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

function open(choice: ClusterChoice): Connection {
  const connection = connect({ env: {}, ...choice });
  onTestFinished(() => connection.close());
  return connection;
}

/** A connection by a kubeconfig in that folder; the cluster is trusted where nothing else is said. */
function connected(at: string, user: object, cluster?: object): Connection {
  const trusted = { 'certificate-authority-data': base64(authority.certificate) };
  const config = {
    'current-context': 'x',
    clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}`, ...(cluster ?? trusted) } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  };
  writeFileSync(join(at, 'config'), stringify(config));
  return open({ kubeconfig: join(at, 'config') });
}

async function seen(connection: Connection): Promise<Seen> {
  return JSON.parse((await connection.send({ path: '/' })).body) as Seen;
}

const authorizationOf = async (connection: Connection): Promise<string | undefined> =>
  (await seen(connection)).headers.authorization;

describe('a user', () => {
  it.each([
    ['with a token', { token: 'abc\n' }, { authorization: 'Bearer abc' }],
    [
      'with a password',
      { username: 'ann', password: 'pa:ss' },
      { authorization: `Basic ${base64('ann:pa:ss')}` },
    ],
    ['with a name alone', { username: 'ann' }, { authorization: `Basic ${base64('ann:')}` }],
    [
      'on behalf of another',
      { token: 'abc', as: 'ann', 'as-uid': '7', 'as-groups': ['a', 'b'], 'as-user-extra': { 'a/b': ['c'] } },
      {
        authorization: 'Bearer abc',
        'impersonate-user': 'ann',
        'impersonate-uid': '7',
        'impersonate-group': 'a, b',
        'impersonate-extra-a%2fb': 'c',
      },
    ],
  ])('%s', async (_, user, headers) => {
    expect((await seen(connected(folder(), user))).headers).toMatchObject(headers);
  });

  it('with nothing is nobody', async () => {
    const { certified, headers } = await seen(connected(folder(), {}));
    expect([certified, headers.authorization]).toEqual([null, undefined]);
  });

  it('with a certificate, in place or in files', async () => {
    const { certificate, key } = authority.client('ann', []);
    const inPlace = { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) };
    expect((await seen(connected(folder(), inPlace))).certified).toBe('ann');
    const at = folder();
    writeFileSync(join(at, 'u.crt'), certificate);
    writeFileSync(join(at, 'u.key'), key);
    const inFiles = connected(at, { 'client-certificate': 'u.crt', 'client-key': './u.key' });
    expect((await seen(inFiles)).certified).toBe('ann');
  });
});

describe('what is renewed is read again', () => {
  it('a token; the last one stands in while its file holds none', async () => {
    const at = folder();
    const file = join(at, 'token');
    const connection = connected(at, { token: 'beside', tokenFile: 'token' });
    expect(await authorizationOf(connection)).toBe('Bearer beside');
    writeFileSync(file, 'one\n');
    expect(await authorizationOf(connection)).toBe('Bearer one');
    writeFileSync(file, 'two');
    expect(await authorizationOf(connection)).toBe('Bearer two');
    writeFileSync(file, '');
    expect(await authorizationOf(connection)).toBe('Bearer two');
    rmSync(file);
    expect(await authorizationOf(connection)).toBe('Bearer two');
  });

  it('a certificate; the old one stands in until its key is there too', async () => {
    const at = folder();
    const put = ({ certificate, key }: { certificate?: string; key?: string }): void => {
      if (certificate !== undefined) writeFileSync(join(at, 'u.crt'), certificate);
      if (key !== undefined) writeFileSync(join(at, 'u.key'), key);
    };
    put(authority.client('old', []));
    const connection = connected(at, { 'client-certificate': 'u.crt', 'client-key': 'u.key' });
    expect((await seen(connection)).certified).toBe('old');
    const { certificate, key } = authority.client('new', []);
    put({ certificate });
    expect((await seen(connection)).certified).toBe('old');
    put({ key });
    expect((await seen(connection)).certified).toBe('new');
  });

  it('in a pod: its token, and the authority of its cluster', async () => {
    const at = folder();
    const env = { HOME: at, KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(port) };
    expect(() => connect({ env, podAccountFolder: at })).toThrow('this is not a pod');
    writeFileSync(join(at, 'token'), 'one');
    writeFileSync(join(at, 'ca.crt'), authority.certificate);
    const connection = open({ env, podAccountFolder: at });
    expect(await authorizationOf(connection)).toBe('Bearer one');
    writeFileSync(join(at, 'token'), 'two');
    expect(await authorizationOf(connection)).toBe('Bearer two');
    const ofSix = { ...env, KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    expect(open({ env: ofSix, podAccountFolder: at }).shown).toBe('https://[fd00::1]');
    expect(() => connect({ env: { ...env, KUBERNETES_SERVICE_PORT: '' }, podAccountFolder: at })).toThrow(
      'not a pod',
    );
    expect(() => connect({ env, podAccountFolder: at, context: 'x' })).toThrow('has no context "x"');
  });
});

describe('a server', () => {
  it('is known by its authority, in place or in a file', async () => {
    const at = folder();
    writeFileSync(join(at, 'ca.crt'), authority.certificate);
    expect((await seen(connected(at, {}, { 'certificate-authority': 'ca.crt' }))).certified).toBeNull();
    const other = { 'certificate-authority-data': base64(createAuthority('other').certificate) };
    await expect(seen(connected(at, {}, other))).rejects.toThrow('does not answer');
    await expect(seen(connected(at, {}, {}))).rejects.toThrow('does not answer');
    expect((await seen(connected(at, {}, { 'insecure-skip-tls-verify': true }))).certified).toBeNull();
    const missing = connected(at, {}, { 'certificate-authority': 'none.crt' });
    await expect(seen(missing)).rejects.toMatchObject({ code: 'access-refused' });
  });

  it('may have another name in its certificate than in its address', async () => {
    const named = (name: string) => ({
      'certificate-authority-data': base64(authority.certificate),
      'tls-server-name': name,
    });
    expect((await seen(connected(folder(), {}, named('kubernetes')))).serverName).toBe('kubernetes');
    await expect(seen(connected(folder(), {}, named('other')))).rejects.toThrow(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
  });
});

describe('a plugin', () => {
  /** A program beside the kubeconfig, which says what it was given and fails where it is told to. */
  function program(at: string, status: string): void {
    writeFileSync(
      join(at, 'get-token'),
      `#!/bin/sh\n[ "$1" = ok ] || { echo "no luck" >&2; exit 1; }\ncat <<END\n${status}\nEND\n`,
    );
    chmodSync(join(at, 'get-token'), 0o755);
  }

  it('gives a token or a certificate, by a path from the folder of the kubeconfig', async () => {
    const at = folder();
    program(at, '{"status":{"token":"from-$NAME"}}');
    const exec = { command: './get-token', args: ['ok'], env: [{ name: 'NAME', value: 'plugin' }] };
    const { headers } = await seen(connected(at, { exec, as: 'ann' }));
    expect(headers).toMatchObject({ authorization: 'Bearer from-plugin', 'impersonate-user': 'ann' });
    const { certificate, key } = authority.client('ann', []);
    program(at, JSON.stringify({ status: { clientCertificateData: certificate, clientKeyData: key } }));
    expect((await seen(connected(at, { exec }))).certified).toBe('ann');
  });

  it('that fails is quoted; a log-in service is asked the same way', async () => {
    const at = folder();
    program(at, '{}');
    const failing = connected(at, { exec: { command: './get-token', args: null, env: null } });
    await expect(seen(failing)).rejects.toMatchObject({
      code: 'access-refused',
      message: expect.stringContaining('no luck') as string,
    });
    const gcp = { name: 'gcp', config: { 'access-token': 'from-gcp' } };
    expect(await authorizationOf(connected(at, { 'auth-provider': gcp }))).toBe('Bearer from-gcp');
  });
});
