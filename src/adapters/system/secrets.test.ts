import { expect, it } from 'vitest';
import { systemSecrets as secrets } from './secrets.js';

it('gives as many bytes as asked, never the same', () => {
  const keys = Array.from({ length: 100 }, () => Buffer.from(secrets.randomBytes(32)).toString('hex'));
  expect(new Set(keys).size).toBe(100);
  for (const key of keys) expect(key).toHaveLength(64);
});

it('digests as SHA-256 does', () => {
  // FIPS 180-2, appendix B.1.
  expect(secrets.digest('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

it('tells equal texts from others, of any length', () => {
  expect(secrets.isSame('abc', 'abc')).toBe(true);
  for (const other of ['abd', 'ab', '', 'abcd', 'ABC']) expect(secrets.isSame('abc', other)).toBe(false);
});
