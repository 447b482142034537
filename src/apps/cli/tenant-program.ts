/** `mica tenant` and `mica usage` as `--help` shows them. What they need is loaded when they run. */
import { Argument, Option, type Command } from 'commander';
import type { Dispatch } from './command.js';
import { act } from './mica-command.js';
import { examples, withDesk } from './options.js';

export function addTenant(program: Command, dispatch: Dispatch): void {
  const tenant = program
    .command('tenant')
    .summary('who shares this machine, and what each may have of it')
    .description(
      'Tenants share the slices of one machine: each with a quota, slices of its own where it has any, and tokens ' +
        'that let it in. For whoever owns the machine. On a machine with tenants the programs run by `mica serve`.',
    );
  withDesk(withQuota(tenant.command('add')))
    .description(
      'Adds a tenant and prints its first token, which is shown once: Mica keeps only a digest. Isolation of devices ' +
        'is cooperative, except in containers. Exit 1: the machine has it already, or cannot give it that.',
    )
    .argument('<name>', 'a-z, 0-9 and - inside, at most 63 characters')
    .addOption(dedicate())
    .addOption(expires())
    .addHelpText(
      'after',
      examples(
        'mica tenant add acme --slices 2',
        'mica tenant add acme --share 0.5 --dedicate 0/1g.24gb:3 --expires 90d',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/tenant/add.js')).tenantAddCommand));
  withDesk(tenant.command('list'))
    .description(
      'Lists the tenants with what they may have, hold and wait for; never a token itself. Isolation of devices is ' +
        'cooperative, except in containers.',
    )
    .action(act(dispatch, async () => (await import('./commands/tenant/list.js')).tenantListCommand));
  withDesk(withQuota(tenant.command('quota')))
    .description(
      'Changes what a tenant may have, or shows it. What it holds already stays its own until it ends.',
    )
    .argument('<name>', 'the tenant')
    .addOption(dedicate())
    .addOption(repeated('--undedicate <slices>', 'slices that others may have again'))
    .addHelpText(
      'after',
      examples('mica tenant quota acme --slices 4 --memory none', 'mica tenant quota acme --slices 0'),
    )
    .action(act(dispatch, async () => (await import('./commands/tenant/quota.js')).tenantQuotaCommand));
  withDesk(tenant.command('token'))
    .description(
      'Makes, lists or revokes the tokens of a tenant. A new one is shown once; a revoked one lets nobody in from ' +
        'then on.',
    )
    .argument('<name>', 'the tenant')
    .addArgument(new Argument('<action>', 'what to do').choices(['add', 'list', 'revoke']))
    .argument('[id]', 'revoke: which token, as list shows it')
    .addOption(expires())
    .addHelpText(
      'after',
      examples('mica tenant token acme add --expires 30d', 'mica tenant token acme revoke 5f0c7d2a91be'),
    )
    .action(act(dispatch, async () => (await import('./commands/tenant/token.js')).tenantTokenCommand));
  withDesk(tenant.command('remove'))
    .description(
      'Removes a tenant with its tokens. What it used stays on record. Exit 1: it holds leases, or is not there.',
    )
    .argument('<name>', 'the tenant')
    .action(act(dispatch, async () => (await import('./commands/tenant/remove.js')).tenantRemoveCommand));
}

export function addUsage(program: Command, dispatch: Dispatch): void {
  withDesk(program.command('usage'))
    .summary('who used which slices of this machine for how long, and what that cost')
    .description(
      'Adds up what was leased, by tenant, model and profile: slice-hours, GPU-hours (each slice as its share of the ' +
        'card) and their price. Hours are rounded to four decimals and money to cents, row by row; totals are the ' +
        'sums of the rows. Use across a border of the period is cut there, and leases that still run count up to now.',
    )
    .option(
      '--since <when>',
      'from then on: 2026-11-01, 2026-11-01T12:00Z, or 7d ago (default: this month); dates are UTC',
    )
    .option('--until <when>', 'until just before then (default: now)')
    .option('--month <month>', 'one month, e.g. 2026-11')
    .option('--tenant <name>', 'only this tenant')
    .option('--prices <file>', 'Prices documents that win over the built-in price table')
    .addOption(
      new Option('--format <format>', 'how the answer is written')
        .choices(['table', 'json', 'csv'])
        .default('table'),
    )
    .addHelpText('after', examples('mica usage', 'mica usage --month 2026-11 --tenant acme --format csv'))
    .action(act(dispatch, async () => (await import('./commands/tenant/usage.js')).usageCommand));
}

function withQuota(command: Command): Command {
  return command
    .option('--slices <n>', 'most slices at once; none: no limit')
    .option('--memory <amount>', 'most memory of slices at once, e.g. 40GiB; none: no limit')
    .option('--share <share>', 'most of the machine at once, e.g. 0.5 of its GPUs; none: no limit');
}

function dedicate(): Option {
  return repeated(
    '--dedicate <slices>',
    'slices that nobody else gets, e.g. 0/1g.24gb:3, or a GPU by its index',
  );
}

function expires(): Option {
  return new Option(
    '--expires <time>',
    'the token lets nobody in after that long, e.g. 90d (default: never)',
  );
}

/** May be given again and again, and with commas. */
function repeated(flags: string, description: string): Option {
  return new Option(flags, description).argParser(
    (text: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), text],
  );
}
