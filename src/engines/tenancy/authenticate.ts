/** Who somebody is, by the token that they show. */
import type { TenancyPorts } from './ports.js';
import { idIn, isExpired } from './tokens.js';

export interface Caller {
  readonly tenant: string;
  /** Id of the token. */
  readonly token: string;
  readonly expiresMs: number | null;
}

export type Authentication =
  | { readonly ok: true; readonly caller: Caller }
  | {
      readonly ok: false;
      /** `expired-token` is only said to whoever has the token. */
      readonly why: { readonly kind: 'no-such-token' | 'expired-token'; readonly message: string };
    };

/** Says the same of a token that never was, was revoked, or is forged, and takes as long. */
export async function authenticate(
  { store, clock, secrets }: TenancyPorts,
  text: string,
): Promise<Authentication> {
  const id = idIn(text);
  if (id === null) return noSuchToken;
  const tenants = await store.read((tables) => tables.tenants());
  const found = tenants.flatMap(({ name, tokens }) =>
    tokens.flatMap((token) => (token.id === id ? [{ name, token }] : [])),
  );
  const hash = secrets.digest(text);
  let owner: (typeof found)[number] | null = null;
  for (const one of found.length === 0 ? [null] : found) {
    if (secrets.isSame(one?.token.hash ?? unmatched, hash)) owner = one;
  }
  if (owner === null) return noSuchToken;
  const { name, token } = owner;
  if (isExpired(token, clock.nowMs())) {
    const message = `the token ${token.id} of ${name} has expired`;
    return { ok: false, why: { kind: 'expired-token', message } };
  }
  return { ok: true, caller: { tenant: name, token: token.id, expiresMs: token.expiresMs } };
}

/** No digest of anything that is known, compared where there is nothing to compare with. */
const unmatched = '0'.repeat(64);

const noSuchToken: Authentication = {
  ok: false,
  why: { kind: 'no-such-token', message: 'the token is not one of this machine, or was revoked' },
};
