/** `mica cluster pool ...` as `--help` shows it: node pools of GKE and EKS. What a command needs is loaded when it runs. */
import { Option, type Command } from 'commander';
import type { Dispatch } from './command.js';
import { act } from './mica-command.js';
import { examples, json } from './options.js';

const toHelp =
  'the slice size of all GPUs, or whole; on EKS also a layout of each GPU: 2g.48gb,1g.24gb,1g.24gb (GPUs by /)';

export function addPools(cluster: Command, dispatch: Dispatch): void {
  const pool = cluster
    .command('pool')
    .summary('node pools of GKE and EKS whose nodes boot with their GPUs cut')
    .description('Shows, makes and changes node pools of GKE and EKS whose nodes boot with their GPUs cut.');
  withCloud(pool.command('list'))
    .description('Lists the node pools, and what each of their nodes offers.')
    .addHelpText('after', examples('mica cluster pool list --gke my-project/us-central1-b/my-cluster'))
    .action(act(dispatch, async () => (await import('./commands/cluster/pool-list.js')).listPoolsCommand));
  withCloud(pool.command('create'))
    .description(
      'Makes a node pool whose nodes boot with their GPUs cut. Exit 1: the cloud does not offer that.',
    )
    .argument('<name>', 'of the new pool')
    .requiredOption('--to <cut>', toHelp)
    .option('--like <pool>', 'copy everything else of this pool (EKS needs it)')
    .option('--machine-type <type>', 'GKE: instead of --like, as g4-standard-48')
    .option('--nodes <n>', 'over all zones', '1')
    .option('--share <n>', 'pods that share a slice by time-slicing')
    .option('--min-nodes <n>', 'let it scale: at least, per zone')
    .option('--max-nodes <n>', 'let it scale: at most, per zone')
    .option('--zones <list>', 'GKE: zones of the nodes (a regional cluster needs them)')
    .option('--spot', 'GKE: spot machines')
    .option('--dry-run', 'print the requests, and the commands of gcloud or aws that send the same')
    .addHelpText(
      'after',
      examples(
        'mica cluster pool create gpu --gke my-project/us-central1-b/my-cluster --machine-type g4-standard-48 --to 1g.24gb',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/cluster/pool-create.js')).createPoolCommand));
  withCloud(pool.command('resize'))
    .description('Gives a node pool another number of nodes.')
    .argument('<name>', 'of the pool')
    .argument('<nodes>', 'over all zones')
    .action(act(dispatch, async () => (await import('./commands/cluster/pool-create.js')).resizePoolCommand));
  withCloud(pool.command('change'))
    .description(
      'Cuts the GPUs of a node pool otherwise: makes a new pool like it, waits until its nodes offer the slices, moves ' +
        'the pods as their budgets allow, deletes the old pool. Run again after an interruption, it goes on; what ' +
        'fails is brought back. Exit 1: refused, nothing was touched. Exit 3: brought back, or not brought to the end.',
    )
    .argument('<pool>', 'the one to change')
    .requiredOption('--to <cut>', toHelp)
    .option('--share <n>', 'pods that share a slice by time-slicing')
    .option('--nodes <n>', 'of the new pool, over all zones (default: as many as there are)')
    .option('--name <name>', 'of the new pool (default: after the old one and the size)')
    .option('--wait <time>', 'for the new nodes to be ready (default: 30m)')
    .option('--drain <time>', 'for the pods to go (default: 15m)')
    .option('--leave-pending', 'also where pods would find no place afterwards')
    .option('--evict-bare', 'evict pods that no controller makes again')
    .option('--kubeconfig <file>', 'as kubectl has it (default: $KUBECONFIG, ~/.kube/config, or this pod)')
    .option('--context <name>', 'of the kubeconfig (default: the current one)')
    .option('--dry-run', 'print the requests, and the commands of gcloud or aws that send the same')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      examples(
        'mica cluster pool change gpu-1g-24gb --gke my-project/us-central1-b/my-cluster --to 2g.48gb --dry-run',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/cluster/pool-change.js')).changePoolCommand));
  withCloud(pool.command('delete'))
    .description(
      'Deletes a node pool: cordons its nodes, moves the pods to where they find a place, as their budgets allow, then ' +
        'lets the cloud take it away. Run again after an interruption, it goes on; where pods do not go, the nodes are ' +
        'given back. Exit 1: refused, nothing was touched. Exit 3: given back, or not brought to the end.',
    )
    .argument('<pool>', 'the one to delete')
    .option('--drain <time>', 'for the pods to go (default: 15m)')
    .option('--leave-pending', 'also where pods would find no place afterwards')
    .option('--evict-bare', 'evict pods that no controller makes again')
    .option('--kubeconfig <file>', 'as kubectl has it (default: $KUBECONFIG, ~/.kube/config, or this pod)')
    .option('--context <name>', 'of the kubeconfig (default: the current one)')
    .option('--dry-run', 'print the request, and the command of gcloud or aws that sends the same')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      examples('mica cluster pool delete gpu-1g-24gb --gke my-project/us-central1-b/my-cluster --dry-run'),
    )
    .action(act(dispatch, async () => (await import('./commands/cluster/pool-delete.js')).deletePoolCommand));
  pool
    .command('open')
    .description(
      'Takes the startup taint off nodes that booted cut and offer their slices now, as after a group grew. Exit 1: ' +
        'some do not offer them yet.',
    )
    .option('--kubeconfig <file>', 'as kubectl has it (default: $KUBECONFIG, ~/.kube/config, or this pod)')
    .option('--context <name>', 'of the kubeconfig (default: the current one)')
    .addOption(json())
    .action(act(dispatch, async () => (await import('./commands/cluster/pool-open.js')).openNodesCommand));
}

function withCloud(command: Command): Command {
  return command
    .option('--gke <cluster>', 'PROJECT/LOCATION/CLUSTER')
    .option('--eks <cluster>', 'REGION/CLUSTER')
    .addOption(
      new Option('--attribute-spelling <sign>', 'GKE: how sizes with attributes are spelled').choices([
        '.',
        '+',
      ]),
    )
    .addOption(json());
}
