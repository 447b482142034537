/** `mica lint` as `--help` shows it. What the command needs is loaded when it runs. */
import { Option, type Command } from 'commander';
import type { Dispatch } from './command.js';
import { act } from './mica-command.js';
import { examples, files, headroom, json } from './options.js';

export function addLint(program: Command, dispatch: Dispatch): void {
  program
    .command('lint')
    .summary('what in your manifests will not schedule on slices, or will disappoint')
    .description(
      'Reads Kubernetes manifests and says what will not schedule on slices, what will run out of memory, and what to ' +
        'ask for instead. Changes nothing without --fix, and never talks to a cluster. Exit 1: something is wrong.',
    )
    .addOption(
      files(
        'manifests: a file, a folder (with its folders: *.yaml, *.yml, *.json), or - for standard input',
      ).makeOptionMandatory(),
    )
    .addOption(
      new Option('--target <target>', 'who offers the slices there')
        .choices(['gke', 'gpu-operator', 'dra'])
        .default('gpu-operator'),
    )
    .option('--gpu <models...>', 'the cards of the cluster (default: any that Mica knows)')
    .option('--audit <file>', 'the JSON answer of `mica audit`: slices are held against what was really used')
    .addOption(headroom())
    .option('--fix', 'write what can be mended without a decision into the files (standard input: print it)')
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        'mica lint -f manifests/',
        'mica lint -f deployment.yaml --target gke --gpu rtx-pro-6000 --fix',
        'helm template my-chart | mica lint -f - --audit audit.json',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/lint/lint.js')).lintCommand));
}
