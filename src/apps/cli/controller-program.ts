/** `mica controller` as `--help` shows it. What it needs is loaded when it runs. */
import { Option, type Command } from 'commander';
import type { Dispatch } from './command.js';
import { act } from './mica-command.js';
import { examples } from './options.js';

export function addController(program: Command, dispatch: Dispatch): void {
  program
    .command('controller')
    .summary('cut the GPUs of a cluster for pods that wait, as its MigPolicies allow')
    .description(
      'Watches pods and nodes of a Kubernetes cluster, and cuts GPUs anew where pods wait for slices that exist nowhere: ' +
        'as far as MigPolicy objects allow, or else it only says in their status what it would do. Runs until SIGTERM or ' +
        'SIGINT (a second one ends it at once). Of several instances one leads; what it leaves unfinished, the next one ' +
        'goes on with. deploy/kubernetes/controller runs it in the cluster. A line on standard error for each event.',
    )
    .option('--kubeconfig <file>', 'as kubectl has it (default: $KUBECONFIG, ~/.kube/config, or this pod)')
    .option('--context <name>', 'of the kubeconfig (default: the current one)')
    .option(
      '--namespace <name>',
      'of the lease by which one instance leads (default: $POD_NAMESPACE, or mica-system)',
    )
    .addOption(
      new Option('--listen <host:port>', 'GET /healthz, /readyz and /metrics; none: nowhere').default(
        '127.0.0.1:9808',
      ),
    )
    .addOption(new Option('--operator-namespace <name>', 'of the GPU Operator').default('gpu-operator'))
    .addOption(
      new Option('--config-map <name>', 'that mig-manager reads: migManager.config.name').default(
        'mica-mig-config',
      ),
    )
    .option(
      '--prometheus <url>',
      'ask dcgm-exporter which pod holds which GPU; a token in $MICA_PROMETHEUS_TOKEN',
    )
    .option('--no-reboot', 'mig-manager never reboots here: pods without GPUs stay where MIG is switched')
    .option('--dry-run', 'only say what would be done: nothing is written, not even the lease')
    .option('--prices <file>', 'Prices documents that win over the built-in price table')
    .option('--json', 'a line of JSON for each event')
    .addHelpText(
      'after',
      examples(
        'mica controller --dry-run',
        'mica controller --listen 0.0.0.0:9808 --prometheus http://prometheus.monitoring:9090 --json',
      ),
    )
    .action(
      act(dispatch, async () => (await import('./commands/controller/controller.js')).controllerCommand),
    );
}
