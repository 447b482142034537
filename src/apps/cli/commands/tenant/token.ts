/** `mica tenant token NAME add|list|revoke`: what lets somebody in as a tenant. */
import { MicaError } from '#core/errors';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import type { DeskFlags } from '../serve/find-server.js';
import { answerNo, withTenancy, type OpenTenancy } from './open-tenancy.js';
import { lifeFrom } from './rights.js';
import { printToken, shownTenants, tokenTable } from './show-tenant.js';

export async function tenantTokenCommand(
  context: Context,
  [name, action, id]: readonly [string, 'add' | 'list' | 'revoke', string | undefined],
  flags: DeskFlags & { readonly expires?: string },
): Promise<AnswerExit> {
  if ((action === 'revoke') !== (id !== undefined)) {
    throw new MicaError(
      'bad-usage',
      `${action} ${id === undefined ? 'needs the' : 'takes no'} id of a token`,
      {
        next: 'mica tenant token NAME add, NAME list, or NAME revoke ID with an ID that list shows.',
      },
    );
  }
  if (action !== 'add' && flags.expires !== undefined) {
    throw new MicaError('bad-usage', '--expires is for a token that is added');
  }
  const lifeMs = lifeFrom(flags.expires);
  return withTenancy(context.host, flags, async (opened) => {
    if (action === 'list') return list(context, opened, name);
    if (action === 'revoke') return revoke(context, opened, name, id ?? '');
    const answer = await opened.tenancy.addToken(name, lifeMs);
    if (!answer.ok) return answerNo(context, answer);
    printToken(context, name, answer.token, { ok: true });
    return 0;
  });
}

async function list(context: Context, opened: OpenTenancy, name: string): Promise<AnswerExit> {
  const tenant = (await opened.tenancy.list()).find((one) => one.name === name);
  if (tenant === undefined) {
    const message = `there is no tenant ${JSON.stringify(name)}`;
    return answerNo(context, { ok: false, why: { kind: 'unknown-tenant', message } });
  }
  const [shown] = await shownTenants(opened, [{ ...tenant, dedicated: [], holds: [] }]);
  const tokens = shown?.tokens ?? [];
  if (context.json) printJson(context.screen, { tokens });
  else context.screen.print(tokens.length === 0 ? `${name} has no token` : tokenTable(context, tokens));
  return 0;
}

async function revoke(
  context: Context,
  { tenancy }: OpenTenancy,
  name: string,
  id: string,
): Promise<AnswerExit> {
  const answer = await tenancy.revokeToken(name, id);
  if (!answer.ok) return answerNo(context, answer);
  if (context.json) printJson(context.screen, answer);
  else context.screen.print(`token ${id} of ${name} lets nobody in any more; leases that it took run on`);
  return 0;
}
