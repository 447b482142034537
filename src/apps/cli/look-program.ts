/** `mica top` and `mica logs` as `--help` shows them. What they need is loaded when they run. */
import type { Command } from 'commander';
import type { Dispatch } from './command.js';
import { act } from './mica-command.js';
import { examples, withDesk, withDriver } from './options.js';

export function addTop(program: Command, dispatch: Dispatch): void {
  withDesk(program.command('top'))
    .summary('the slices of this machine, live: who has them and how full they are')
    .description(
      'Draws the GPUs with who has which slice, and lists leases, memory in use, the queue and quarantine: again and ' +
        'again on a terminal, until Ctrl-C; once where the answer goes into a pipe or a file.',
    )
    .option('--interval <seconds>', 'between two looks (default: 2); in a pipe too, with --json a line each')
    .option('--once', 'one look')
    .addHelpText('after', examples('mica top', 'mica top --interval 5', 'mica top --json | jq .slices'))
    .action(act(dispatch, async () => (await import('./commands/run/top.js')).topCommand));
}

export function addLogs(program: Command, dispatch: Dispatch): void {
  withDriver(program.command('logs'))
    .summary('what the jobs of a batch have printed')
    .description(
      'Prints the outputs of the jobs of a batch, by default of the newest and of the last attempt of each job. Without ' +
        'any argument it lists the batches. Exit 1: there is nothing to show.',
    )
    .argument('[what...]', 'the batch, then jobs by number or name; a number first is a job of the newest')
    .option('-f, --follow', 'go on as long as the batch runs')
    .option('--attempt <n>', 'that attempt (default: the last)')
    .option('--failed', 'only jobs that failed or took too long')
    .option('--tail <n>', 'the last lines of each')
    .addHelpText(
      'after',
      examples('mica logs', 'mica logs --failed --tail 20', 'mica logs b-1f2e3d4c 7', 'mica logs --follow'),
    )
    .action(act(dispatch, async () => (await import('./commands/batch/logs.js')).logsCommand));
}
