/** `mica tenant add NAME`: a tenant with what it may have, and its first token. */
import { noQuota } from '#core/run/quota';
import type { AnswerExit, Context } from '../../command.js';
import type { DeskFlags } from '../serve/find-server.js';
import { answerNo, withTenancy } from './open-tenancy.js';
import { inNames, lifeFrom, placesNamed, quotaFrom, type QuotaFlags } from './rights.js';
import { printToken, shownTenants } from './show-tenant.js';

export interface AddFlags extends DeskFlags, QuotaFlags {
  readonly dedicate?: readonly string[];
  readonly expires?: string;
}

export async function tenantAddCommand(
  context: Context,
  [name]: readonly [string],
  flags: AddFlags,
): Promise<AnswerExit> {
  const quota = { ...noQuota, ...quotaFrom(flags) };
  const tokenLifeMs = lifeFrom(flags.expires);
  return withTenancy(context.host, flags, async (opened) => {
    const names = flags.dedicate ?? [];
    const slices = names.length === 0 ? [] : await opened.slices();
    const dedicated = placesNamed(names, slices);
    const answer = await opened.tenancy.add({ name, quota, dedicated, tokenLifeMs });
    if (!answer.ok) return answerNo(context, inNames(answer, slices));
    const [tenant] = await shownTenants(opened, [answer.tenant]);
    printToken(context, name, answer.token, { ok: true, tenant });
    return 0;
  });
}
