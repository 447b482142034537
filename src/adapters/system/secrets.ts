/** Keys and digests as OpenSSL makes them. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Secrets } from '#ports/secrets';

export const systemSecrets: Secrets = {
  randomBytes: (count) => randomBytes(count),
  digest: sha256,
  // Of digests, which have one length, whatever the texts have.
  isSame: (one, other) => timingSafeEqual(Buffer.from(sha256(one)), Buffer.from(sha256(other))),
};

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
