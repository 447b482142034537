/** `mica tenant list`: the tenants of this machine, what they may have and hold. */
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import type { DeskFlags } from '../serve/find-server.js';
import { withTenancy } from './open-tenancy.js';
import { shownTenants, tenantTable } from './show-tenant.js';

export async function tenantListCommand(
  context: Context,
  _positional: readonly never[],
  flags: DeskFlags,
): Promise<AnswerExit> {
  const { screen, json } = context;
  return withTenancy(context.host, flags, async (opened): Promise<AnswerExit> => {
    const tenants = await shownTenants(opened, await opened.tenancy.list());
    if (json) printJson(screen, { tenants });
    else if (tenants.length === 0)
      screen.print(`no tenants (in ${opened.where}): its owner has this machine alone`);
    else screen.print(tenantTable(context, tenants));
    return 0;
  });
}
