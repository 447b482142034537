/** Which outputs of a batch are meant: jobs by their number or name, one attempt of each. */
import { MicaError } from '#core/errors';
import { verdictOf, type BatchJob, type BatchRequest, type Verdict } from '#engines/run/batch/job';
import type { AttemptRecord } from '#ports/run-store';
import { didYouMean } from '../../did-you-mean.js';

export interface LogChoice {
  /** As the command line names jobs; empty: all. */
  readonly jobs: readonly string[];
  /** `null`: the last. */
  readonly attempt: number | null;
  readonly onlyFailed: boolean;
}

export interface ChosenLog {
  /** Place in the list. */
  readonly job: number;
  readonly task: BatchJob;
  /** `null`: it has not run to an end. */
  readonly verdict: Verdict | null;
  readonly attempt: AttemptRecord;
}

/** In the order of the list. Throws MicaError where a job is named that is not in it. */
export function chooseLogs(
  { jobs: tasks, retries }: BatchRequest,
  attempts: readonly AttemptRecord[],
  { jobs, attempt, onlyFailed }: LogChoice,
): readonly ChosenLog[] {
  const named = jobs.length === 0 ? null : new Set(jobs.flatMap((name) => placesOf(name, tasks)));
  return tasks.flatMap((task, job): readonly ChosenLog[] => {
    if (named?.has(job) === false) return [];
    // What was never started has said nothing.
    const all = attempts.filter((one) => one.job === job);
    const own = all.filter(({ group }) => group !== null);
    const chosen = attempt === null ? own.at(-1) : own.find((one) => one.attempt === attempt);
    const verdict = verdictOf(task, all, retries);
    const failed = verdict?.kind === 'failed' || verdict?.kind === 'timed-out';
    if (chosen === undefined || (onlyFailed && !failed)) return [];
    return [{ job, task, verdict, attempt: chosen }];
  });
}

/** A name may stand for several jobs; a number is one's place, counted from 1. */
function placesOf(name: string, tasks: readonly BatchJob[]): readonly number[] {
  const byName = tasks.flatMap((task, place) => (task.name === name ? [place] : []));
  if (byName.length > 0) return byName;
  const number = /^\d{1,9}$/.test(name) ? Number(name) : 0;
  if (number >= 1 && number <= tasks.length) return [number - 1];
  const near = didYouMean(
    name,
    tasks.map((task) => task.name),
  );
  throw new MicaError('bad-usage', `the batch has no job ${name}${near}`, {
    next: `Name jobs as the report does, or by number from 1 to ${tasks.length}.`,
  });
}
