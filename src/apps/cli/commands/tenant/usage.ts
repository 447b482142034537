/** `mica usage`: who used what in a period, and what it cost, for people, programs and invoices. */
import { systemClock } from '#adapters/system/clock';
import { MicaError } from '#core/errors';
import type { UsageReport } from '#engines/tenancy/usage';
import type { AnswerExit, Context } from '../../command.js';
import { pricesFileFrom } from '../../settings.js';
import { printJson } from '../../terminal/json.js';
import type { DeskFlags } from '../serve/find-server.js';
import { withTenancy } from './open-tenancy.js';
import { periodFrom, type PeriodFlags } from './period.js';
import { describeUsage, periodInWords, usageAsJson } from './show-usage.js';

interface UsageFlags extends DeskFlags, PeriodFlags {
  readonly tenant?: string;
  readonly prices?: string;
  readonly format: 'table' | 'json' | 'csv';
}

export async function usageCommand(
  context: Context,
  _positional: readonly never[],
  flags: UsageFlags,
): Promise<AnswerExit> {
  const { screen, host, json } = context;
  if (json && flags.format === 'csv') {
    throw new MicaError('bad-usage', '--json and --format csv ask for two formats; leave one out');
  }
  const period = periodFrom(flags, systemClock.nowMs());
  const question = { ...period, ...(flags.tenant === undefined ? {} : { tenant: flags.tenant }) };
  const prices = await pricesFrom(flags, context);
  const report = await withTenancy(host, flags, ({ tenancy }) => tenancy.usage(question, prices));
  if (json || flags.format === 'json') printJson(screen, usageAsJson(report));
  else if (flags.format === 'csv') await printCsv(context, report);
  else screen.print(describeUsage(screen, report));
  return 0;
}

async function pricesFrom({ prices }: UsageFlags, { host }: Context) {
  const file = await pricesFileFrom(prices, host.env);
  const { defaultPrices } = await import('#core/cost/default-prices');
  if (file === undefined) return defaultPrices;
  const { readInputs } = await import('../../documents/inputs.js');
  return (await readInputs([file], defaultPrices)).prices;
}

/** Rows alone, so that a column can be added up; what else is to be known is a remark. */
async function printCsv({ screen }: Context, report: UsageReport): Promise<void> {
  const { usageAsCsv } = await import('./usage-csv.js');
  screen.write(usageAsCsv(report));
  screen.note(periodInWords(report));
}
