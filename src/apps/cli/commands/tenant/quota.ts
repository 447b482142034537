/** `mica tenant quota NAME`: other rights for a tenant; without options, the ones that it has. */
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import type { DeskFlags } from '../serve/find-server.js';
import { answerNo, withTenancy } from './open-tenancy.js';
import { inNames, placesNamed, quotaFrom, type QuotaFlags } from './rights.js';
import { shownTenants, tenantTable } from './show-tenant.js';

interface ChangeFlags extends DeskFlags, QuotaFlags {
  readonly dedicate?: readonly string[];
  readonly undedicate?: readonly string[];
}

export async function tenantQuotaCommand(
  context: Context,
  [name]: readonly [string],
  flags: ChangeFlags,
): Promise<AnswerExit> {
  const { dedicate = [], undedicate = [] } = flags;
  const quota = quotaFrom(flags);
  return withTenancy(context.host, flags, async (opened) => {
    const isAboutSlices = dedicate.length + undedicate.length > 0;
    const slices = isAboutSlices ? await opened.slices() : [];
    const before = (await opened.tenancy.list()).find((tenant) => tenant.name === name)?.dedicated ?? [];
    const answer = await opened.tenancy.change(name, {
      quota,
      dedicate: placesNamed(dedicate, slices),
      // A place that the machine has no more can be taken back by the name that it is stored by.
      release: placesNamed(undedicate, slices, before),
    });
    if (!answer.ok) return answerNo(context, inNames(answer, slices));
    const shown = await shownTenants(opened, [answer.tenant]);
    if (context.json) printJson(context.screen, { ok: true, tenant: shown[0] });
    else context.screen.print(tenantTable(context, shown));
    return 0;
  });
}
