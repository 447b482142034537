/** `mica audit` as `--help` shows it. What the command needs is loaded when it runs. */
import { Option, type Command } from 'commander';
import { auditFormats } from './audit-formats.js';
import type { Dispatch } from './command.js';
import { act } from './mica-command.js';
import { examples, headroom, speeds, withDriver, withEmit } from './options.js';

export function addAudit(program: Command, dispatch: Dispatch): void {
  const audit = program
    .command('audit')
    .summary('what your GPUs really do, which slice each workload needs, what that saves')
    .description(
      'Reads what workloads used of their GPUs, and says per workload which slice is the smallest that is safe, why, ' +
        'and what moving there saves. Changes nothing. Exit 1: nothing was found that could be judged.',
    );
  withSources(audit)
    .option('--gpu <model>', 'recommend slices of this GPU model (default: the cheapest that serves)')
    .option(
      '--measured-on <device>',
      'MODEL or MODEL:PROFILE that the figures of a CSV were taken on, where it does not say',
    )
    .addOption(
      new Option('--strategy <statistic>', 'what a slice must hold: the peak of the window, or a percentile')
        .choices(['peak', 'p99', 'p95'])
        .default('peak'),
    )
    .addOption(headroom())
    .addOption(speeds())
    .option('--prices <file>', 'Prices documents that win over the built-in price table')
    .addOption(new Option('--format <format>', 'of the report').choices(auditFormats).default('table'))
    .option('--verbose', 'table: the reasons of every workload')
    .option('--plan', 'go on to `mica plan` with the needs that were found, instead of the report');
  // `--strategy` is the audit's own here.
  withEmit(audit, '--mig-strategy');
  withDriver(audit)
    .addHelpText(
      'after',
      examples(
        'mica audit --prometheus http://localhost:9090 --gpu rtx-pro-6000',
        'mica audit --prometheus https://mimir.example/prometheus --bearer-token-file token --format html > audit.html',
        'mica audit --csv usage.csv --gpu h100 --strategy p99',
        'mica audit --dcgm http://gpu-1:9400/metrics http://gpu-2:9400/metrics --for 10m',
        'mica audit --prometheus http://localhost:9090 --plan --emit gpu-operator --out out/',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/audit/audit.js')).auditCommand));
}

function withSources(command: Command): Command {
  return command
    .option('--prometheus <url>', 'Prometheus, Thanos, Mimir or a managed one (default: as mica.yaml says)')
    .option('--dcgm <targets...>', 'dcgm-exporter: URLs, sampled for --for, or .prom files')
    .option('--csv <files...>', 'workload,timestamp,memory_mib[,sm_activity], or a log of nvidia-smi')
    .option('--nvml', 'the GPUs of this machine, sampled for --for')
    .option('--window <time>', 'prometheus: how far to look back (default: 7d)')
    .option('--end <time>', 'prometheus: until when, ISO 8601 (default: now)')
    .option('--bearer-token-file <file>', 'prometheus: a token; or in $MICA_PROMETHEUS_TOKEN')
    .option('--basic-auth-file <file>', 'prometheus: USER:PASSWORD; or in $MICA_PROMETHEUS_BASIC_AUTH')
    .option('--header <header...>', "prometheus: e.g. 'X-Scope-OrgID: team-a'")
    .option('--ca-file <file>', 'prometheus: certificates to trust, PEM')
    .option('--client-cert <file>', 'prometheus: client certificate, PEM')
    .option('--client-key <file>', 'prometheus: its key, PEM')
    .option('--insecure-skip-verify', 'prometheus: take any certificate')
    .option('--kubeconfig <file>', 'ask this cluster which Deployment, StatefulSet or Job made a pod')
    .option('--context <name>', 'of the kubeconfig')
    .option('--for <time>', 'live sources: how long to sample (default: 10m)')
    .option('--every <time>', 'live sources: how often (default: 5s)');
}
