/** `mica serve` as `--help` shows it. What it needs is loaded when it runs. */
import type { Command } from 'commander';
import type { Dispatch } from './command.js';
import { act } from './mica-command.js';
import { examples, headroom, withDriver } from './options.js';

export function addServe(program: Command, dispatch: Dispatch): void {
  withDriver(program.command('serve'))
    .summary('hand out the slices of this machine to its tenants')
    .description(
      'Hands out the slices of this machine to all its users over a Unix socket, until SIGTERM or SIGINT: each shows ' +
        'a token and gets what its tenant may have. What is leased outlives it, and a restart too. Its owner needs no ' +
        'token: operator.key in the state folder is the key. --json: a line of JSON for each event.',
    )
    .option(
      '--socket <path>',
      'where to listen (default: /run/mica/mica.sock for root, else in $XDG_RUNTIME_DIR; or $MICA_SOCKET)',
    )
    .option('--lease-ttl <time>', 'take back leases whose holder is silent for longer (default: 30s)')
    .option('--profile <profile>', 'simulated: cut GPUs without a layout into slices of this profile')
    .option('--memory <amount>', 'simulated: the same, by memory')
    .addOption(headroom())
    .addHelpText(
      'after',
      examples(
        'mica serve',
        'mica serve --driver simulated --gpus rtx-pro-6000:1 --profile 1g.24gb --socket ./mica.sock',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/serve/serve.js')).serveCommand));
}
