/** `mica run`, `ps`, `kill` and `release-slice` as `--help` shows them. What they need is loaded when they run. */
import type { Command } from 'commander';
import type { Dispatch } from './command.js';
import { act } from './mica-command.js';
import { examples, headroom, withDesk } from './options.js';

export function addRun(program: Command, dispatch: Dispatch): void {
  withDesk(withSlices(program.command('run')))
    .summary('one program on a slice of this machine that nobody else has')
    .description(
      'Leases slices of this machine, runs a program that sees only them, and gives them back. Exits as the program ' +
        'does (128 and the number of the signal that ended it); 124: it took longer than --timeout; 125: no slice ' +
        'could be leased; 126, 127: the program cannot be run, or is not there.',
    )
    .argument('<command...>', 'the program and its arguments, after --')
    .option('--count <n>', 'slices at once, on any GPUs (default: 1)')
    .option('--wait <time>', 'how long to queue; 0s: now or not at all (default: as long as it takes)')
    .option('--timeout <time>', 'end the program, and what it started, after that long')
    .option('--priority <n>', 'higher goes first (default: 0)')
    .option('--docker', 'the program is `docker run`: the container gets the slice (--gpus)')
    .option('--podman', 'the program is `podman run`: the container gets the slice by CDI (--device)')
    .addHelpText(
      'after',
      examples(
        'mica run -- python train.py',
        'mica run --memory 20GiB --timeout 1h -- pytest tests/gpu',
        'mica run --profile 1g.24gb --docker -- docker run --rm my-image nvidia-smi',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/run/run.js')).runCommand));
  withDesk(program.command('ps'))
    .summary('who has which slices of this machine, and who waits')
    .description('Lists the leases of this machine, the queue for slices, and the slices in quarantine.')
    .action(act(dispatch, async () => (await import('./commands/run/ps.js')).psCommand));
  withDesk(program.command('kill'))
    .summary('end a lease and what runs on it')
    .description(
      'Asks the holder of a lease to end (SIGTERM), makes it (SIGKILL) where it does not, and empties the slices. ' +
        'Exit 1: there is no such lease, or its holder may not be signalled.',
    )
    .argument('<lease>', 'as `mica ps` names it')
    .action(act(dispatch, async () => (await import('./commands/run/kill.js')).killCommand));
  withDesk(program.command('release-slice'))
    .summary('take a slice out of quarantine')
    .description(
      'Lets a slice be leased again that Mica keeps from everybody. Exit 1: it is not in quarantine, or something is ' +
        'still in it.',
    )
    .argument('<slice>', 'as `mica ps` names it, e.g. 0/1g.24gb:3')
    .option('--force', 'even though something is in it: it is leased once that is gone')
    .action(act(dispatch, async () => (await import('./commands/run/release-slice.js')).releaseSliceCommand));
}

/** Which slices are wanted. */
export function withSlices(command: Command): Command {
  return command
    .option('--profile <profile>', 'slices of this profile, e.g. 1g.24gb')
    .option('--memory <amount>', 'the smallest slice that holds this much, e.g. 20GiB')
    .addOption(headroom())
    .option('--recut', 'where no free slice fits, cut a GPU anew around what is busy (its driver allowing)');
}
