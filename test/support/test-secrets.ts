/** Secrets that a test can foresee: each key is another, and the same in every run. */
import { createHash } from 'node:crypto';
import type { Secrets } from '#ports/secrets';

export function testSecrets(): Secrets {
  let last = 0;
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
  return {
    randomBytes: (count) => {
      const bytes = Buffer.from(digest(`key ${(last += 1)}`), 'hex');
      return bytes.subarray(0, count);
    },
    digest,
    isSame: (one, other) => one === other,
  };
}
