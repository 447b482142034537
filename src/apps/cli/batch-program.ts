/** `mica batch` as `--help` shows it. What it needs is loaded when it runs. */
import { Option, type Command } from 'commander';
import type { Dispatch } from './command.js';
import { act } from './mica-command.js';
import { examples, withDesk } from './options.js';
import { withSlices } from './run-program.js';

/** The ways of `--shard`; a test holds them equal to what the engine knows. */
export const shardNames = ['pytest', 'pytest-shard', 'vitest', 'jest', 'ctest', 'gotest'] as const;

export function addBatch(program: Command, dispatch: Dispatch): void {
  withDesk(withSlices(program.command('batch')))
    .summary('many commands, as many at once as there are slices')
    .description(
      'Runs a list of commands on the slices of this machine, each alone on one: the longest first, retries last. ' +
        'A slice that breaks is left, and its job begins again elsewhere. Exit 0: all passed; 1: some did not; ' +
        '3: stopped before the end (go on with --resume).',
    )
    .argument(
      '[list...]',
      'a file with a command per line (- is standard input); with --shard the test command, after --',
    )
    .option('--shell', 'run each line by sh -c; without it no line is read by a shell')
    .option('--jobs <n>', 'slices at once (default: as many as there are)')
    .option('--timeout <time>', 'end an attempt, and all that it started, after that long')
    .option('--retries <n>', 'further tries of a job that failed (default: 0)')
    .option('--junit <file>', 'write the results as JUnit XML too')
    .option(
      '--resume [id]',
      'go on with a batch that was stopped (default: the newest): run what has no result yet',
    )
    .addOption(
      new Option('--shard <framework>', 'run one test command as several, by its own sharding').choices(
        shardNames,
      ),
    )
    .option('--shards <n>', 'into how many; several per slice even out what takes longer')
    .addHelpText(
      'after',
      examples(
        'mica batch tests.txt --profile 1g.24gb --timeout 10m --retries 1 --junit results.xml',
        'mica batch --shard pytest --shards 16 --memory 20GiB -- pytest tests/gpu',
        'mica batch --resume',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/batch/batch.js')).batchCommand));
}
