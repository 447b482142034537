/** `mica batch`: many commands on the slices of this machine, with their results kept whatever happens. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, basename, join } from 'node:path';
import { writeFiles } from '#adapters/files/write-files';
import type { Nursery } from '#adapters/system/job-nursery';
import { defaultPrices } from '#core/cost/default-prices';
import { cheapestFor } from '#core/cost/price-table';
import { MicaError } from '#core/errors';
import type { BatchRequest } from '#engines/run/batch/job';
import { junitXml } from '#engines/run/batch/junit';
import { beginBatch, resumeBatch, type OpenBatch } from '#engines/run/batch/open-batch';
import { reportOf, type BatchReport } from '#engines/run/batch/report';
import { runBatch, type BatchEnd } from '#engines/run/batch/run-batch';
import type { Leases } from '#engines/run/leases';
import { longestTimeMs, timeSpanMs, wholeNumber } from '../../arguments.js';
import type { AnswerExit, Context } from '../../command.js';
import { pricesFileFrom } from '../../settings.js';
import { printJson } from '../../terminal/json.js';
import type { DeskFlags } from '../serve/find-server.js';
import { withSlicesFor, type RunMachine } from '../run/open-run.js';
import { programEnv } from '../run/program-env.js';
import { listenForSignals } from '../run/signals.js';
import { sliceWishFrom, type SliceFlags } from '../run/slice-wish.js';
import { batchAsJson, describeBatch } from './describe-batch.js';
import { progressOn } from './progress.js';
import { readJobs, type JobFlags } from './read-jobs.js';

export interface BatchFlags extends DeskFlags, SliceFlags, JobFlags {
  readonly jobs?: string;
  readonly timeout?: string;
  readonly retries?: string;
  readonly junit?: string;
  /** `true`: the newest. */
  readonly resume?: string | true;
}

export async function batchCommand(
  context: Context,
  [list]: readonly [readonly string[]],
  flags: BatchFlags,
): Promise<AnswerExit> {
  const asked =
    flags.resume === undefined ? await requestFrom(context, list, flags) : resumedOnly(list, flags);
  const usdPerGpuHour = await pricesFor(context);
  const signals = listenForSignals();
  try {
    return await withSlicesFor(context.host, flags, asked?.slice ?? { kind: 'any' }, async (machine) => {
      const batch =
        asked === null
          ? await resumed(machine, flags.resume === true ? null : (flags.resume ?? null))
          : await beginBatch(machine, `b-${machine.newId()}`, asked);
      const logOf = await logsOf(machine.folder, batch.id);
      const before = new Set(batch.attempts.map(({ job }) => job)).size;
      const progress = progressOn(context.host, batch.request.jobs, before, machine.clock.nowMs);
      const nursery = await nurseryFor(batch);
      let end: BatchEnd;
      try {
        const ports = {
          ...machine,
          leases: await leasesFor(machine, flags, (text) => progress.onEvent({ kind: 'remark', text })),
          runner: nursery?.runner ?? machine.runner,
          logOf: ({ job, attempt }: { job: number; attempt: number }) => logOf(job, attempt),
          env: programEnv(context.host),
        };
        end = await runBatch(ports, batch, { signal: signals.first, onEvent: progress.onEvent });
      } finally {
        progress.end();
        await nursery?.close();
      }
      const slices = [...(await machine.desk.list()).slices, ...end.slices];
      const whyLeft = end.end.kind === 'no-slice' ? end.end.why : 'the batch was stopped';
      const report = reportOf(batch, { attempts: end.attempts, slices, usdPerGpuHour, whyLeft });
      if (context.json) printJson(context.screen, batchAsJson(report, logOf));
      else context.screen.print(describeBatch(context.screen, report, logOf));
      if (flags.junit !== undefined) await writeJunit(flags.junit, report, logOf);
      return exitOf(context, end, report);
    });
  } finally {
    signals.release();
  }
}

/** A resumed batch says anew whether GPUs may be cut for it. */
async function leasesFor(
  machine: RunMachine,
  { recut = false }: BatchFlags,
  note: (text: string) => void,
): Promise<Leases> {
  if (!recut) return machine.leases;
  const { recutLeases } = await import('../run/recut-leases.js');
  return recutLeases(machine, note);
}

async function requestFrom(
  { host }: Context,
  list: readonly string[],
  flags: BatchFlags,
): Promise<BatchRequest> {
  const { jobs, timeout, retries } = flags;
  const timeoutMs = timeout === undefined ? null : timeSpanMs('--timeout', timeout, longestTimeMs);
  if (timeoutMs === 0) throw new MicaError('bad-usage', '--timeout must be longer than no time');
  return {
    slice: await sliceWishFrom(flags, host),
    timeoutMs,
    retries: retries === undefined ? 0 : wholeNumber('--retries', retries, 0, 100),
    most: jobs === undefined ? null : wholeNumber('--jobs', jobs, 1, 10_000),
    cwd: process.cwd(),
    jobs: await readJobs(list, flags),
  };
}

/** What a batch that goes on is asked for was said when it began. */
function resumedOnly(list: readonly string[], flags: BatchFlags): null {
  const said = (
    ['profile', 'memory', 'jobs', 'timeout', 'retries', 'shell', 'shard', 'shards'] as const
  ).find((flag) => flags[flag] !== undefined);
  if (said === undefined && list.length === 0) return null;
  throw new MicaError(
    'bad-usage',
    `--resume goes on with what was asked for; it takes no ${said === undefined ? 'list' : `--${said}`}`,
    {
      next: 'Name the batch alone: mica batch --resume ID.',
    },
  );
}

async function resumed(machine: RunMachine, id: string | null): Promise<OpenBatch> {
  const answer = await resumeBatch(machine, id);
  if (answer.ok) return answer.batch;
  throw new MicaError(answer.why.kind === 'running' ? 'state-locked' : 'bad-usage', answer.why.message, {
    next: 'A batch says its name when it ends; `mica ps` shows those that run.',
  });
}

/** A few jobs are done before it is up. */
const jobsWorthNursery = 10;

async function nurseryFor({ request }: OpenBatch): Promise<Nursery | null> {
  if (request.jobs.length < jobsWorthNursery) return null;
  const { openNursery } = await import('#adapters/system/job-nursery');
  return openNursery();
}

async function logsOf(folder: string, id: string): Promise<(place: number, attempt: number) => string> {
  const logs = join(folder, 'batches', id);
  try {
    await mkdir(logs, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new MicaError('unwritable-state', `${logs} cannot be made`, { cause: error });
  }
  return (place, attempt) => join(logs, `${place + 1}-${attempt}.log`);
}

/** Of a whole GPU, by the cheapest machine that has it. */
async function pricesFor({ host }: Context): Promise<(model: string) => number | null> {
  const file = await pricesFileFrom(undefined, host.env);
  let table = defaultPrices;
  if (file !== undefined) {
    const { readInputs } = await import('../../documents/inputs.js');
    table = (await readInputs([file], defaultPrices)).prices;
  }
  return (model) => {
    const answer = cheapestFor(model, table);
    return answer.ok ? answer.usdPerGpuHour : null;
  };
}

async function writeJunit(
  file: string,
  report: BatchReport,
  logOf: Parameters<typeof batchAsJson>[1],
): Promise<void> {
  const content = junitXml(report, {
    hostname: hostname(),
    timestamp: new Date(report.startedMs).toISOString().slice(0, 19),
    outputOf: (place, { attempts }) => {
      const last = attempts.findLast(({ group }) => group !== null);
      return last === undefined ? '' : endOf(logOf(place, last.attempt));
    },
  });
  await writeFiles(dirname(file), [{ path: basename(file), content }]);
}

/** The end of a log is where a test says why it failed. */
const longestOutput = 8192;

function endOf(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      const from = Math.max(0, size - longestOutput);
      const bytes = Buffer.alloc(size - from);
      const length = readSync(file, bytes, 0, bytes.length, from);
      return bytes.toString('utf8', 0, length);
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}

function exitOf({ screen }: Context, { end }: BatchEnd, { batch, summary }: BatchReport): AnswerExit {
  if (end.kind === 'done') return summary.passed === summary.jobs ? 0 : 1;
  const why = end.kind === 'no-slice' ? end.why : 'the batch was stopped';
  screen.note(
    `mica: ${why}\nWhat to do: go on with \`mica batch --resume ${batch}\`; \`mica ps\` shows the slices.`,
  );
  return 3;
}
