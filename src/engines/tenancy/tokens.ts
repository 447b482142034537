/** Tokens of tenants: made and shown once, kept as digests, until they expire or are revoked. */
import type { TokenRecord } from '#ports/run-store';
import type { Secrets } from '#ports/secrets';
import { refused, type Refused, type TenancyPorts } from './ports.js';

/** The only time that the token itself is seen. */
export interface IssuedToken {
  readonly id: string;
  /** `mica_<id>_<secret>`. */
  readonly text: string;
  readonly expiresMs: number | null;
}

export type IssueAnswer = { readonly ok: true; readonly token: IssuedToken } | Refused;
export type RevokeAnswer = { readonly ok: true } | Refused;

/** For one tenant, so that a client that makes tokens in a loop does not fill the disk. */
export const mostTokens = 32;
const longestLifeMs = 3650 * 86_400_000;

export function addToken(
  { store, clock, secrets }: TenancyPorts,
  name: string,
  lifeMs: number | null,
): Promise<IssueAnswer> {
  const minted = mint(secrets, clock.nowMs(), lifeMs);
  return store.transact((tables): IssueAnswer => {
    if (!minted.ok) return minted;
    const tenant = tables.tenants().find((one) => one.name === name);
    if (tenant === undefined) return unknownTenant(name);
    if (tenant.tokens.length >= mostTokens) {
      return refused('too-many', `${name} has ${mostTokens} tokens: revoke those that nobody uses`);
    }
    tables.putTenant({ ...tenant, tokens: [...tenant.tokens, minted.record] });
    return { ok: true, token: minted.token };
  });
}

export function revokeToken({ store }: TenancyPorts, name: string, id: string): Promise<RevokeAnswer> {
  return store.transact((tables): RevokeAnswer => {
    const tenant = tables.tenants().find((one) => one.name === name);
    if (tenant === undefined) return unknownTenant(name);
    const left = tenant.tokens.filter((token) => token.id !== id);
    if (left.length === tenant.tokens.length) {
      return refused('unknown-token', `${name} has no token ${quoted(id)}`);
    }
    tables.putTenant({ ...tenant, tokens: left });
    return { ok: true };
  });
}

type Minted = { readonly ok: true; readonly record: TokenRecord; readonly token: IssuedToken } | Refused;

/** `lifeMs`: `null` for one that does not expire. */
export function mint(secrets: Secrets, nowMs: number, lifeMs: number | null): Minted {
  if (lifeMs !== null && !(lifeMs > 0 && lifeMs <= longestLifeMs)) {
    return refused('bad-expiry', 'a token lives for more than no time and at most ten years');
  }
  const expiresMs = lifeMs === null ? null : nowMs + lifeMs;
  const id = Buffer.from(secrets.randomBytes(6)).toString('hex');
  const text = `mica_${id}_${Buffer.from(secrets.randomBytes(32)).toString('base64url')}`;
  // A slow hash makes guesses dear; of 256 random bits nobody guesses any, so that a fast one gives away as little.
  const record = { id, hash: secrets.digest(text), createdMs: nowMs, expiresMs };
  return { ok: true, record, token: { id, text, expiresMs } };
}

export function isExpired({ expiresMs }: Pick<TokenRecord, 'expiresMs'>, nowMs: number): boolean {
  return expiresMs !== null && nowMs >= expiresMs;
}

/** The id inside a token's text; `null`: no token looks like that. */
export function idIn(text: string): string | null {
  return /^mica_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/.exec(text)?.[1] ?? null;
}

export function unknownTenant(name: string): Refused {
  return refused('unknown-tenant', `there is no tenant ${quoted(name)}`);
}

/** Whatever somebody typed, as one short piece of a sentence. */
export function quoted(text: string): string {
  return JSON.stringify(text.length <= 40 ? text : `${text.slice(0, 40)}…`);
}
