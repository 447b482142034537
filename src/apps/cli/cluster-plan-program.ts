/** `mica cluster plan` as `--help` shows it. What it needs is loaded when it runs. */
import { Option, type Command } from 'commander';
import type { Dispatch } from './command.js';
import { act } from './mica-command.js';
import { examples, from, json, withEmit } from './options.js';

/** `command`: with what says which cluster. */
export function describePlanCommand(command: Command, dispatch: Dispatch): void {
  withEmit(command)
    .description(
      'Says how the GPUs of a cluster are cut best for what runs and what waits: nodes to cut anew, pods that must ' +
        'move, node pools to add or drop. Disturbs as few pods as can be, and leaves everything as it is where nothing ' +
        'is gained. Changes nothing. Exit 1: some pod stays without a place.',
    )
    .addOption(from().conflicts(['kubeconfig', 'context']))
    .option(
      '--audit <file>',
      'the JSON answer of `mica audit`: plan the slices that it recommends where that frees nodes',
    )
    .option('--pool <names...>', 'only the nodes of these node pools or node groups')
    .addOption(
      new Option('--target <target>', 'only nodes that are cut this way').choices(['gke', 'gpu-operator']),
    )
    .option('--rent <types...>', 'machines that may be added, TYPE or TYPE=MOST, as g4-standard-48=2')
    .option('--consolidate', 'move pods also to leave nodes empty')
    .option('--prices <file>', 'Prices documents that win over the built-in price table')
    .option('--all', 'every node and every pod, not only the first ones')
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        'mica cluster plan',
        'mica cluster plan --audit audit.json --consolidate --json > plan.json',
        'kubectl get nodes,pods -A -o json | mica cluster plan --from - --emit gpu-operator --out out/',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/cluster/plan.js')).planClusterCommand));
}
