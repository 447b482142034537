/** `mica logs`: what the jobs of a batch have said; without arguments, which batches there are. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { untilInterrupted } from '#adapters/system/interruption';
import { MicaError } from '#core/errors';
import { resultInWords, type BatchRequest } from '#engines/run/batch/job';
import type { BatchRecord, RunStore } from '#ports/run-store';
import { wholeNumber } from '../../arguments.js';
import type { AnswerExit, Context } from '../../command.js';
import { didYouMean } from '../../did-you-mean.js';
import { printJson } from '../../terminal/json.js';
import { printable, type Screen } from '../../terminal/screen.js';
import { runFolderOf, type DriverFlags } from '../node/open-node.js';
import { chooseLogs, type ChosenLog, type LogChoice } from './choose-logs.js';
import { describeBatches, listBatches, stateOf, type Onlookers } from './list-batches.js';
import { openLog, type LogReader } from './log-file.js';

export interface LogsFlags extends DriverFlags {
  readonly attempt?: string;
  readonly failed?: boolean;
  readonly follow?: boolean;
  readonly tail?: string;
}

interface Batches {
  readonly store: RunStore;
  readonly onlookers: Onlookers;
  readonly pathOf: (batch: string, log: Pick<ChosenLog, 'job' | 'attempt'>) => string;
}

const pollMs = 200;
const namesLookedAt = 1000;

export async function logsCommand(
  context: Context,
  [words]: readonly [readonly string[]],
  flags: LogsFlags,
): Promise<AnswerExit> {
  const { screen, json } = context;
  const { attempt, failed = false, follow = false, tail } = flags;
  const lastLines = tail === undefined ? null : wholeNumber('--tail', tail, 0, 1_000_000_000);
  const [first = '', ...others] = words;
  const isNamed = first !== '' && !/^\d+$/.test(first);
  const choice: LogChoice = {
    jobs: isNamed ? others : words,
    attempt: attempt === undefined ? null : wholeNumber('--attempt', attempt, 1, 1_000_000),
    onlyFailed: failed,
  };
  if (follow && json)
    throw new MicaError('bad-usage', '--follow prints what comes as it is; leave --json out');
  const lists = words.length === 0 && !failed && !follow && tail === undefined && attempt === undefined;
  return withBatches(context, flags, async (batches): Promise<AnswerExit> => {
    if (lists) return list(context, batches);
    const batch = await named(batches.store, isNamed ? first : null);
    if (follow) return followLogs(screen, batches, batch, choice, lastLines);
    const chosen = await chosenFrom(batches.store, batch, choice);
    if (json) await printLogs(screen, batches, batch, chosen, lastLines);
    else for (const log of chosen) await showLog(screen, batches, batch, log, chosen.length > 1, lastLines);
    if (chosen.length === 0) screen.note(`mica: ${nothingIn(batch, choice)}`);
    return chosen.length === 0 ? 1 : 0;
  });
}

/** Needs no driver: a batch is read where it was kept, whatever has become of the GPUs. */
async function withBatches<T>(
  { host }: Context,
  flags: LogsFlags,
  work: (batches: Batches) => Promise<T>,
): Promise<T> {
  const folder = runFolderOf(host, flags);
  const path = join(folder, 'mica.db');
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    throw new MicaError('bad-usage', 'no batch has run on this machine yet', {
      next: 'Start one with `mica batch FILE`; one on simulated GPUs is found with its --driver and --state.',
    });
  }
  const [{ openRunStore }, { systemProcesses: processes }] = await Promise.all([
    import('#adapters/sqlite/run-store'),
    import('#adapters/system/processes'),
  ]);
  const store = await openRunStore({ path });
  const { pid } = process;
  try {
    return await work({
      store,
      onlookers: {
        processes,
        self: {
          ...{ pid, startedAt: processes.startOf(pid) ?? '', bootId: processes.bootId() },
          pidNamespace: processes.pidNamespace(),
        },
      },
      pathOf: (batch, { job, attempt }) =>
        join(folder, 'batches', batch, `${job + 1}-${attempt.attempt}.log`),
    });
  } finally {
    await store.close();
  }
}

async function list({ screen, json }: Context, { store, onlookers }: Batches): Promise<AnswerExit> {
  const batches = await store.read((tables) => listBatches(tables, onlookers));
  if (json) printJson(screen, { batches });
  else screen.print(describeBatches(screen, batches));
  return 0;
}

/** `null`: the newest. */
async function named(store: RunStore, id: string | null): Promise<BatchRecord> {
  const found = await store.read((tables) =>
    id === null ? (tables.batches(1)[0] ?? null) : tables.batch(id),
  );
  if (found !== null) return found;
  const known = await store.read((tables) => tables.batches(namesLookedAt).map((batch) => batch.id));
  if (id === null || known.length === 0) throw new MicaError('bad-usage', 'no batch has run here yet');
  throw new MicaError('bad-usage', `there is no batch ${id}${didYouMean(id, known)}`, {
    next: 'Run `mica logs` to see them; jobs of the newest are named by number.',
  });
}

async function chosenFrom(
  store: RunStore,
  batch: BatchRecord,
  choice: LogChoice,
): Promise<readonly ChosenLog[]> {
  const attempts = await store.read((tables) => tables.attempts(batch.id));
  return chooseLogs(JSON.parse(batch.request) as BatchRequest, attempts, choice);
}

/** Every attempt so far, the first of all jobs first: one that has failed meanwhile has spoken too. */
async function begunIn(
  store: RunStore,
  batch: BatchRecord,
  choice: LogChoice,
): Promise<readonly ChosenLog[]> {
  if (choice.attempt !== null) return chosenFrom(store, batch, choice);
  const request = JSON.parse(batch.request) as BatchRequest;
  const attempts = await store.read((tables) => tables.attempts(batch.id));
  const numbers = [...new Set(attempts.map(({ attempt }) => attempt))].sort((a, b) => a - b);
  return numbers.flatMap((attempt) => chooseLogs(request, attempts, { ...choice, attempt }));
}

function nothingIn({ id }: BatchRecord, { attempt, onlyFailed }: LogChoice): string {
  if (onlyFailed) return `nothing that was asked for has failed in batch ${id}`;
  const which = attempt === null ? 'has begun yet' : `has an attempt ${attempt}`;
  return `nothing that was asked for ${which} in batch ${id}`;
}

async function showLog(
  screen: Screen,
  { pathOf }: Batches,
  { id }: BatchRecord,
  log: ChosenLog,
  isOneOfMany: boolean,
  lastLines: number | null,
): Promise<void> {
  if (isOneOfMany) screen.print(headOf(screen, log));
  const reader = await openLog(pathOf(id, log), lastLines);
  try {
    let last = '\n';
    for await (const text of reader.more()) {
      screen.write(text);
      last = text.at(-1) ?? last;
    }
    if (isOneOfMany && last !== '\n') screen.write('\n');
  } finally {
    await reader.close();
  }
}

/** `==> 3 pytest tests/a (attempt 2: exit 1) <==`. */
function headOf({ style }: Screen, { job, task, attempt }: ChosenLog): string {
  const state = attempt.end === null ? 'running' : resultInWords(attempt.end.result);
  return style.bold(
    `==> ${job + 1} ${printable(task.name)} (attempt ${attempt.attempt}: ${printable(state)}) <==`,
  );
}

async function printLogs(
  screen: Screen,
  { pathOf, onlookers }: Batches,
  batch: BatchRecord,
  chosen: readonly ChosenLog[],
  lastLines: number | null,
): Promise<void> {
  const logs: object[] = [];
  for (const log of chosen) {
    const { job, task, verdict, attempt } = log;
    const path = pathOf(batch.id, log);
    const reader = await openLog(path, lastLines);
    let output = '';
    for await (const text of reader.more()) output += text;
    await reader.close();
    logs.push({
      ...{ job: job + 1, name: task.name, verdict, attempt: attempt.attempt },
      ...{ result: attempt.end?.result ?? null, log: path, output },
    });
  }
  const { id, startedMs, endedMs } = batch;
  printJson(screen, { batch: id, state: stateOf(batch, onlookers), startedMs, endedMs, logs });
}

/** Until the batch is over or Ctrl-C; attempts that begin meanwhile are followed, too. */
async function followLogs(
  screen: Screen,
  batches: Batches,
  batch: BatchRecord,
  choice: LogChoice,
  lastLines: number | null,
): Promise<AnswerExit> {
  const { store, onlookers, pathOf } = batches;
  const { signal, release } = untilInterrupted();
  const { systemClock: clock } = await import('#adapters/system/clock');
  const readers = new Map<string, LogReader>();
  let said = '';
  let isLineOver = true;
  try {
    for (let isOver = false; !isOver && !signal.aborted;) {
      const now = await store.read((tables) => tables.batch(batch.id));
      isOver = now === null || stateOf(now, onlookers) !== 'running';
      for (const log of await begunIn(store, batch, choice)) {
        const path = pathOf(batch.id, log);
        const reader = readers.get(path) ?? (await openLog(path, lastLines));
        readers.set(path, reader);
        for await (const text of reader.more()) {
          if (said !== path) screen.print(`${isLineOver ? '' : '\n'}${headOf(screen, log)}`);
          said = path;
          screen.write(text);
          isLineOver = text.endsWith('\n');
        }
      }
      if (!isOver) await clock.sleep(pollMs, signal);
    }
    return 0;
  } finally {
    release();
    for (const reader of readers.values()) await reader.close();
  }
}
