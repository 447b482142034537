/** `mica cluster apply` as `--help` shows it. What the command needs is loaded when it runs. */
import { Option, type Command } from 'commander';
import type { Dispatch } from './command.js';
import { act } from './mica-command.js';
import { examples, files, json } from './options.js';

export function describeApply(command: Command, dispatch: Dispatch): void {
  command
    .description(
      'Makes the GPUs of nodes under the GPU Operator what a plan or Layout documents say: cordons a node, evicts the ' +
        'pods in the way (disruption budgets hold), lets mig-manager cut, waits until the slices can be had, uncordons. ' +
        'What fails is taken back, or the node stays cordoned with the reason on it. Exit 1: refused, nothing was ' +
        'touched. Exit 3: not all nodes got there.',
    )
    .option('--plan <file>', 'a plan that `mica plan --json` printed (- is standard input)')
    .addOption(files('Layout documents'))
    .option('--node <names...>', 'only these nodes (default: all that the plan or the documents name)')
    .option('--dry-run', 'only say what would be done, and which pods would go')
    .option('--max-unavailable <n>', 'nodes out of service at once, cordoned ones included (default: 1)')
    .option(
      '--timeout <time>',
      'begin no node after that, and wait no longer for pods to go (default: 10m for the pods of each node)',
    )
    .option('--keep-going', 'each node for itself, instead of none after one that did not get there')
    .option('--force', 'evict pods that no controller would make again')
    .option('--no-reboot', 'mig-manager never reboots here: pods without GPUs stay where MIG is switched')
    .option(
      '--prometheus <url>',
      'ask dcgm-exporter which pod holds which GPU; a token in $MICA_PROMETHEUS_TOKEN',
    )
    .addOption(new Option('--operator-namespace <name>', 'of the GPU Operator').default('gpu-operator'))
    .addOption(
      new Option('--config-map <name>', 'that mig-manager reads: migManager.config.name').default(
        'mica-mig-config',
      ),
    )
    .option('-y, --yes', 'do not ask before nodes are cordoned and pods go')
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        'mica cluster apply --plan plan.json --dry-run',
        'mica cluster apply -f layout.yaml --node gpu-1 --timeout 30m --yes',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/cluster/apply.js')).applyClusterCommand));
}
