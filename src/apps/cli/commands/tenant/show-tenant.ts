/** Tenants and tokens as people and programs read them. */
import { quotaInWords } from '#core/run/quota';
import type { LeasableSlice } from '#core/run/slice';
import type { TenantView } from '#engines/tenancy/tenants';
import type { IssuedToken } from '#engines/tenancy/tokens';
import type { Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { tableOf } from '../../terminal/table.js';
import { namesIn } from '../run/slice-names.js';
import type { OpenTenancy } from './open-tenancy.js';
import { placeNames } from './rights.js';

export interface ShownTenant extends Omit<TenantView, 'createdMs' | 'tokens'> {
  readonly created: string;
  readonly tokens: readonly {
    readonly id: string;
    readonly created: string;
    readonly expires: string | null;
    readonly isExpired: boolean;
  }[];
}

/** With slices by their names; where the driver does not answer, by their places. */
export async function shownTenants(
  { slices }: OpenTenancy,
  tenants: readonly TenantView[],
): Promise<readonly ShownTenant[]> {
  const hasPlaces = tenants.some(({ dedicated, holds }) => dedicated.length + holds.length > 0);
  const there: readonly LeasableSlice[] = hasPlaces ? await slices().catch(() => []) : [];
  const [nameOf, placeName] = [namesIn(there), placeNames(there)];
  return tenants.map(({ name, createdMs, quota, dedicated, tokens, holds, waiting }) => ({
    name,
    created: isoOf(createdMs),
    quota,
    dedicated: dedicated.map(placeName),
    tokens: tokens.map((token) => ({
      id: token.id,
      created: isoOf(token.createdMs),
      expires: token.expiresMs === null ? null : isoOf(token.expiresMs),
      isExpired: token.isExpired,
    })),
    holds: holds.map(nameOf),
    waiting,
  }));
}

export function tenantTable({ screen }: Context, tenants: readonly ShownTenant[]): string {
  const columns = [
    { head: 'tenant' },
    { head: 'quota' },
    { head: 'dedicated' },
    { head: 'holds' },
    { head: 'waits', align: 'right' },
    { head: 'tokens' },
  ] as const;
  const rows = tenants.map(({ name, quota, dedicated, tokens, holds, waiting }) => [
    name,
    quotaInWords(quota),
    dedicated.join(' ') || '-',
    holds.join(' ') || '-',
    `${waiting}`,
    tokensInWords(tokens),
  ]);
  return tableOf(screen, columns, rows);
}

export function tokenTable({ screen }: Context, tokens: ShownTenant['tokens']): string {
  const columns = [{ head: 'token' }, { head: 'created' }, { head: 'expires' }];
  const rows = tokens.map(({ id, created, expires, isExpired }) => [
    id,
    created,
    isExpired ? `${expires ?? ''} (expired)` : (expires ?? 'never'),
  ]);
  return tableOf(screen, columns, rows);
}

function tokensInWords(tokens: ShownTenant['tokens']): string {
  const expired = tokens.filter(({ isExpired }) => isExpired).length;
  return expired === 0 ? `${tokens.length}` : `${tokens.length} (${expired} expired)`;
}

/** The token alone is the answer, so that a script can take it; what to do with it is a remark. */
export function printToken(
  { screen, json }: Context,
  tenant: string,
  { id, text, expiresMs }: IssuedToken,
  more: object = {},
): void {
  const expires = expiresMs === null ? null : isoOf(expiresMs);
  if (json) {
    printJson(screen, { ...more, token: { id, text, expires } });
    return;
  }
  const until = expires === null ? 'does not expire' : `expires ${expires}`;
  screen.note(`The token of ${tenant}, shown this once (${id}, ${until}):`);
  screen.print(text);
  screen.note(
    `Whoever has it runs as ${tenant}: in $MICA_TOKEN, or in a file of mode 0600 for --token-file.\n` +
      'Isolation of devices is cooperative outside of containers: a program that ignores CUDA_VISIBLE_DEVICES\n' +
      'reaches the slices of others; with --docker or --podman it gets only its own.',
  );
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
