/** Certificates for as long as a test runs: a few X.509 structures written as DER, signed with P-256 keys. */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority extends Identity {
  /** A certificate for a server at these addresses. */
  readonly server: (names: readonly string[], addresses: readonly string[]) => Identity;
  /** A certificate for a user: its common name is the user, its organizations are the groups. */
  readonly client: (user: string, groups: readonly string[]) => Identity;
}

export function createAuthority(name: string): Authority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = distinguishedName(name, []);
  const own = [extension('551d13', true, sequence(boolean(true))), extension('551d0f', true, bits(0x06, 1))];
  const issue = (whose: Buffer, publicKey: KeyObject, extensions: readonly Buffer[]): string =>
    pem('CERTIFICATE', certificate(subject, whose, publicKey, pair.privateKey, extensions));
  const identity = (whose: Buffer, extensions: readonly Buffer[]): Identity => {
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return { certificate: issue(whose, keys.publicKey, extensions), key: privatePem(keys.privateKey) };
  };
  return {
    certificate: issue(subject, pair.publicKey, own),
    key: privatePem(pair.privateKey),
    server: (names, addresses) =>
      identity(distinguishedName('kube-apiserver', []), [
        extension(
          '551d11',
          false,
          sequence(...names.map((host) => tagged(0x82, ascii(host))), ...addresses.map(ip)),
        ),
        usage('2b06010505070301'),
      ]),
    client: (user, groups) => identity(distinguishedName(user, groups), [usage('2b06010505070302')]),
  };
}

const privatePem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;

function certificate(
  issuer: Buffer,
  subject: Buffer,
  publicKey: KeyObject,
  signer: KeyObject,
  extensions: readonly Buffer[],
): Buffer {
  const algorithm = sequence(oid('2a8648ce3d040302'));
  const serial = randomBytes(16);
  serial[0] = 0x40 | (serial[0]! & 0x3f);
  const key = publicKey.export({ type: 'spki', format: 'der' });
  const identifier = extension('551d0e', false, tagged(0x04, createHash('sha1').update(key).digest()));
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, serial),
    algorithm,
    issuer,
    sequence(time(Date.now() - 86_400_000), time(Date.now() + 10 * 86_400_000)),
    subject,
    key,
    tagged(0xa3, sequence(identifier, ...extensions)),
  );
  return sequence(
    body,
    algorithm,
    tagged(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, signer)])),
  );
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const size = body.length;
  const head = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), body]);
}
const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, ...parts);
const ascii = (text: string): Buffer => Buffer.from(text, 'utf8');
const oid = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'));
const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 255 : 0]));
const bits = (value: number, unused: number): Buffer => tagged(0x03, Buffer.from([unused, value]));
const usage = (purpose: string): Buffer => extension('551d25', false, sequence(oid(purpose)));
const ip = (address: string): Buffer => tagged(0x87, Buffer.from(address.split('.').map(Number)));
const time = (ms: number): Buffer =>
  tagged(0x17, ascii(`${new Date(ms).toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`));

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), tagged(0x04, value));
}

function distinguishedName(commonName: string, organizations: readonly string[]): Buffer {
  const part = (id: string, text: string): Buffer =>
    tagged(0x31, sequence(oid(id), tagged(0x0c, ascii(text))));
  return sequence(...organizations.map((text) => part('55040a', text)), part('550403', commonName));
}
