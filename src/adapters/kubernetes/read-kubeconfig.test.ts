/** What a kubeconfig may look like: what kubectl reads is read, and what it refuses is refused, by file and field. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadKubeconfig, type LoadedConfig } from './kubeconfig.js';
import { readKubeconfig } from './kubeconfig-file.js';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'mica-test-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

const clusters = 'clusters: [{name: c, cluster: {server: "https://c:6443"}}]';
const contexts = 'contexts: [{name: x, context: {cluster: c, user: u, namespace: web}}]';
const users = 'users: [{name: u, user: {token: t}}]';

/** The usual parts, where the ones of `parts` do not stand for them. */
function load(parts: {
  readonly clusters?: string;
  readonly users?: string;
  readonly text?: string | Buffer;
}) {
  const file = join(folder(), 'config');
  const usual = `{current-context: x, ${parts.clusters ?? clusters}, ${parts.users ?? users}, ${contexts}}`;
  writeFileSync(file, parts.text ?? usual);
  return loadKubeconfig({ kubeconfig: file, env: {} });
}

const cluster = (fields: string): LoadedConfig =>
  load({ clusters: `clusters: [{name: c, cluster: {${fields}}}]` });
const user = (fields: string): LoadedConfig => load({ users: `users: [{name: u, user: {${fields}}}]` });

describe('a kubeconfig is read', () => {
  const block = `# remark\napiVersion: v1\nkind: Config\n${[clusters, contexts, users].join('\n')}\ncurrent-context: x\n`;
  const json = JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://c:6443' } }],
    users: [{ name: 'u', user: { token: 't', unknown: { key: [] } } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
  it.each([
    ['YAML', block],
    ['JSON', json],
    ['with a byte order mark', `\uFEFF${block}`],
    ['of Windows', block.replaceAll('\n', '\r\n')],
    ['the first of several documents', `---\n${block}---\nother: true\n`],
    [
      'with empty entries',
      block.replace('users: [', 'preferences:\nusers: [null, {name: null, user: null}, '),
    ],
    [
      'with a merge key',
      block.replace(
        '[{name: c, cluster: {',
        '[{name: d, cluster: &d {proxy-url: ""}}, {name: c, cluster: {<<: *d, ',
      ),
    ],
    ['with the last of equal keys', `current-context: y\n${block}`],
  ])('%s', (_, text) => {
    expect(load({ text })).toMatchObject({ server: 'https://c:6443', user: { token: 't' } });
  });

  it('without a user, one that is nowhere, or one with nothing', () => {
    expect(load({ users: 'users: null' }).user).toBeNull();
    expect(load({ users: 'other: []' }).user).toBeNull();
    expect(load({ users: 'users: [{name: u}]' }).user).toMatchObject({ token: '', 'as-groups': [] });
    expect(
      load({ text: `{current-context: x, ${clusters}, contexts: [{name: x, context: {cluster: c}}]}` }).user,
    ).toBeNull();
  });

  it('with the words for true and false of YAML 1.1', () => {
    const verifies = (word: string) =>
      cluster(`server: "https://c", insecure-skip-tls-verify: ${word}`).cluster['insecure-skip-tls-verify'];
    expect(['true', 'yes', 'On', 'y'].map(verifies)).toEqual([true, true, true, true]);
    expect(['false', 'no', 'OFF', 'null', '""'.slice(2)].map(verifies)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it('with paths from its own folder, whichever file they come from', () => {
    const at = folder();
    mkdirSync(join(at, 'a'));
    mkdirSync(join(at, 'b'));
    const [one, two] = [join(at, 'a', 'config'), join(at, 'b', 'config')];
    writeFileSync(
      one,
      `{clusters: [{name: c, cluster: {server: "https://c", certificate-authority: ca.crt}}], ${contexts}}`,
    );
    writeFileSync(
      two,
      `{current-context: x, clusters: [{name: c, cluster: {server: "https://other"}}], users: [{name: u, user:
      {tokenFile: ../token, client-certificate: u.crt, client-key: /keys/u.key, exec: {command: ./bin/get-token}}}]}`,
    );
    const loaded = loadKubeconfig({ env: { KUBECONFIG: [one, two].join(delimiter) } });
    expect(loaded.cluster).toMatchObject({
      server: 'https://c',
      'certificate-authority': join(at, 'a', 'ca.crt'),
    });
    expect(loaded.user).toMatchObject({
      tokenFile: join(at, 'token'),
      'client-certificate': join(at, 'b', 'u.crt'),
      'client-key': '/keys/u.key',
      exec: { command: join(at, 'b', 'bin', 'get-token') },
    });
    expect(user('exec: {command: aws}').user?.exec?.command).toBe('aws');
  });

  it('from ~/.kube/config, and an empty file is an empty kubeconfig', () => {
    const HOME = folder();
    mkdirSync(join(HOME, '.kube'));
    const file = join(HOME, '.kube', 'config');
    writeFileSync(file, block);
    expect(loadKubeconfig({ env: { HOME } })).toMatchObject({ from: file, server: 'https://c:6443' });
    const empty = join(HOME, 'empty');
    writeFileSync(empty, '');
    expect(loadKubeconfig({ env: { KUBECONFIG: [empty, file].join(delimiter) } }).server).toBe(
      'https://c:6443',
    );
    expect(() => loadKubeconfig({ env: { KUBECONFIG: empty } })).toThrow(
      'names no current context: it has none',
    );
  });
});

describe('a kubeconfig is refused', () => {
  it.each([
    ['a list', '[1]', 'is not a kubeconfig.'],
    ['a word', 'nonsense', 'is not a kubeconfig.'],
    ['another kind', 'kind: Pod', 'it is a Pod of v1'],
    ['another version', 'apiVersion: v2', 'it is a Config of v2'],
    ['no YAML', 'a: 1\nb: [\nc: 2\n', 'line 3 is no YAML'],
    ['not UTF-8', Buffer.from([0x61, 0xff]), 'it is not UTF-8 text'],
    ['a program', 'ELF\0', 'it is not a text file'],
    ['a flood', 'a'.repeat(5 * 2 ** 20), 'it has more than 4 MiB'],
    ['an abyss', '['.repeat(2 ** 20), 'it is nested too deeply'],
    [
      'aliases without end',
      `a: &a [x, x]\n${'bcdefghij'.replaceAll(/./g, (key) => `${key}: &${key} [${`*${String.fromCharCode(key.charCodeAt(0) - 1)}, `.repeat(9)}]\n`)}`,
      'its aliases',
    ],
  ])('%s', (_, text, why) => {
    expect(() => load({ text })).toThrow(why);
  });

  it.each([
    ['users: [{name: u, user: {token: 12345}}]', 'users[0].user.token must be text'],
    ['users: [null, {name: u, user: {as-groups: [a, 1]}}]', 'users[1].user.as-groups[1] must be text'],
    ['users: [{name: u, user: {as-user-extra: {a: b}}}]', 'users[0].user.as-user-extra.a must be a list'],
    ['users: {u: {token: t}}', 'users must be a list'],
    ['users: [{name: u, user: [token]}]', 'users[0].user must be a map'],
    [
      'users: [{name: u, user: {client-key-data: "not base64"}}]',
      'users[0].user.client-key-data must be base64',
    ],
    ['users: [{name: u, user: {exec: aws}}]', 'users[0].user.exec must be a map'],
    ['users: [{name: u, user: {}}, {name: u, user: {}}]', 'users names "u" twice'],
  ])('%s', (written, why) => {
    expect(() => load({ users: written })).toThrow(why);
  });

  it.each([
    [
      'server: "https://c", insecure-skip-tls-verify: "true"',
      'insecure-skip-tls-verify must be true or false',
    ],
    ['server: [a]', 'clusters[0].cluster.server must be text'],
    ['server: ""', 'is not an address'],
    [
      'server: "https://c", certificate-authority: a, certificate-authority-data: YQ==',
      'both certificate-authority and',
    ],
    [
      'server: "https://c", certificate-authority: a, insecure-skip-tls-verify: true',
      'and insecure-skip-tls-verify',
    ],
  ])('%s', (written, why) => {
    expect(() => cluster(written)).toThrow(why);
  });

  it.each([
    ['token: t, username: a', 'both a token and a username'],
    ['client-certificate-data: YQ==', 'a client-certificate and no client-key'],
    ['client-certificate-data: YQ==, client-certificate: a, client-key: a', 'both client-certificate and'],
    ['client-certificate: a, client-key: a, client-key-data: YQ==', 'both client-key and'],
    ['as-groups: [a]', 'no as'],
    ['exec: {command: a}, auth-provider: {name: oidc}', 'both exec and an auth-provider'],
    ['exec: {}', 'an exec without a command'],
  ])('%s', (written, why) => {
    expect(() => user(written)).toThrow(why);
  });

  it('with a code, and never with what it says', () => {
    const file = join(folder(), 'config');
    expect(() => readKubeconfig(file)).toThrow(expect.objectContaining({ code: 'unreadable-file' }));
    for (const text of [
      'users: [{name: u, user: {token: [s3cret]}}]',
      'token: "s3cret\n@: [',
      's3cret: *s3cret',
    ]) {
      writeFileSync(file, text);
      const refused = thrownBy(() => readKubeconfig(file));
      expect(refused).toMatchObject({ code: 'bad-document' });
      expect(inspect(refused, { depth: null })).not.toContain('s3cret');
    }
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}
