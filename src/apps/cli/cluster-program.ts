/** `mica cluster ...` as `--help` shows it: Kubernetes. What a command needs is loaded when it runs. */
import type { Command } from 'commander';
import { describeApply } from './cluster-apply-program.js';
import { describePlanCommand } from './cluster-plan-program.js';
import { addPools } from './cluster-pool-program.js';
import type { Dispatch } from './command.js';
import { act } from './mica-command.js';
import { examples, from, json } from './options.js';

export function addCluster(program: Command, dispatch: Dispatch): void {
  const cluster = program
    .command('cluster')
    .summary('the GPUs of a Kubernetes cluster: slices, who uses them, what waits and why')
    .description(
      'Looks at the GPUs of a Kubernetes cluster. Also as a plugin of kubectl: `kubectl mica show`.',
    );
  withCluster(cluster.command('show'))
    .description(
      'Draws every GPU node with its slices and who uses them, says what is free, and why pods wait that want GPUs. ' +
        'Reads nodes, pods and, where there are any, resource slices and claims; changes nothing.',
    )
    .addOption(from().conflicts(['watch', 'kubeconfig', 'context']))
    .option('--pool <name>', 'only the nodes of this node pool or node group')
    .option('--all', 'every node and every waiting pod, not only the first ones')
    .option('--watch', 'again at each change until Ctrl-C; with --json a line each time')
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        'mica cluster show',
        'mica cluster show --context production --pool mig --watch',
        'kubectl mica show --json',
        'kubectl get nodes,pods -A -o json | mica cluster show --from -',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/cluster/show.js')).showClusterCommand));
  describePlanCommand(withCluster(cluster.command('plan')), dispatch);
  describeApply(withCluster(cluster.command('apply')), dispatch);
  addPools(cluster, dispatch);
}

function withCluster(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'as kubectl has it (default: $KUBECONFIG, ~/.kube/config, or this pod)')
    .option('--context <name>', 'of the kubeconfig (default: the current one)');
}
