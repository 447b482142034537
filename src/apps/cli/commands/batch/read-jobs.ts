/** The jobs of a batch, from a list of commands or from one test command that is divided. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { nameOf, readText } from '#adapters/files/read-text';
import { MicaError } from '#core/errors';
import type { BatchJob, Command } from '#engines/run/batch/job';
import { jobsOf } from '#engines/run/batch/job-list';
import { goTestJobs, goTestParts, shardJobs, type Framework } from '#engines/run/batch/shards';
import { wholeNumber } from '../../arguments.js';

export interface JobFlags {
  readonly shell?: boolean;
  readonly shard?: Framework;
  readonly shards?: string;
}

const longestListBytes = 16 * 2 ** 20;
const mostShards = 10_000;

/** Throws MicaError where there are none. */
export async function readJobs(list: readonly string[], flags: JobFlags): Promise<readonly BatchJob[]> {
  const jobs =
    flags.shard === undefined ? await fromFile(list, flags) : await divided(flags.shard, list, flags);
  if (jobs.length > 0) return jobs;
  throw new MicaError('bad-usage', 'there is no command to run', {
    next: 'Write a command per line, or name a test command after --shard FRAMEWORK --shards N --.',
  });
}

async function fromFile(
  list: readonly string[],
  { shell = false, shards }: JobFlags,
): Promise<readonly BatchJob[]> {
  if (shards !== undefined)
    throw new MicaError('bad-usage', '--shards says into how many parts --shard divides');
  const [file, ...others] = list;
  if (file === undefined || others.length > 0) {
    throw new MicaError(
      'bad-usage',
      file === undefined ? 'no list of commands is named' : 'more than one list of commands is named',
      { next: 'Name one file with a command per line, or - for standard input.' },
    );
  }
  const found = jobsOf(await readText(file, longestListBytes), { shell });
  if (found.ok) return found.jobs;
  const problems = found.problems.map(({ line, why }) => `${nameOf(file)}:${line}: ${why}`);
  throw new MicaError('bad-usage', problems.join('\n'), { next: 'Mend the lines named; nothing was run.' });
}

async function divided(
  framework: Framework,
  command: readonly string[],
  { shell = false, shards: count }: JobFlags,
): Promise<readonly BatchJob[]> {
  if (shell) throw new MicaError('bad-usage', '--shell is for lists of commands, not for --shard');
  if (!isCommand(command)) {
    throw new MicaError('bad-usage', 'no test command is named', {
      next: `Write it after --, as in mica batch --shard ${framework} --shards 8 -- ${framework} ...`,
    });
  }
  if (count === undefined) {
    throw new MicaError('bad-usage', '--shard needs to know into how many parts', {
      next: 'Add --shards N: the number of slices, or a few times that.',
    });
  }
  const shards = wholeNumber('--shards', count, 1, mostShards);
  if (framework !== 'gotest') return shardJobs(framework, shards, command);
  const parts = goTestParts(command);
  if (parts === null) {
    throw new MicaError('bad-usage', '--shard gotest divides `go test` alone', {
      next: 'Write mica batch --shard gotest --shards 8 -- go test ./...',
    });
  }
  return goTestJobs(shards, parts, await packagesOf(command[0], parts.patterns));
}

async function packagesOf(go: string, patterns: readonly string[]): Promise<readonly string[]> {
  try {
    const { stdout } = await promisify(execFile)(go, ['list', '--', ...patterns], { maxBuffer: 2 ** 26 });
    return stdout.split('\n').filter((line) => line !== '');
  } catch (error) {
    const said = (error as { readonly stderr?: string }).stderr ?? String(error);
    throw new MicaError('bad-usage', `\`${go} list\` failed: ${said.trim()}`, {
      next: 'Run it where the Go module is.',
      cause: error,
    });
  }
}

function isCommand(words: readonly string[]): words is Command {
  return words.length > 0;
}
