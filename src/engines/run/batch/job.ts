/** What a batch is made of, and what became of each job: read from its attempts, however many processes ran them. */
import type { SliceWish } from '#core/run/slice';
import type { AttemptRecord, JobResult } from '#ports/run-store';

export type Command = readonly [string, ...string[]];

export interface BatchJob {
  /** As reports call it. */
  readonly name: string;
  readonly command: Command;
  /** Exit codes that mean that it passed. */
  readonly passCodes: readonly number[];
}

export interface BatchRequest {
  readonly jobs: readonly BatchJob[];
  readonly slice: SliceWish;
  /** Of one attempt; `null`: as long as it takes. */
  readonly timeoutMs: number | null;
  /** Further tries of a job that failed. */
  readonly retries: number;
  /** Slices at once; `null`: as many as there are. */
  readonly most: number | null;
  readonly cwd: string;
}

export type Verdict =
  | { readonly kind: 'passed'; readonly flaky: boolean }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'timed-out' }
  /** Never run to an end. */
  | { readonly kind: 'not-run'; readonly why: string };

/** `null`: it is to be run, or run again. Attempts in their order. */
export function verdictOf(
  job: BatchJob,
  attempts: readonly AttemptRecord[],
  retries: number,
): Verdict | null {
  const results = attempts.flatMap(({ end }) => (end === null ? [] : [end.result]));
  const tries = results.filter(({ kind }) => kind !== 'lost');
  if (tries.some((result) => isPass(job, result))) {
    return { kind: 'passed', flaky: tries.some((result) => !isPass(job, result)) };
  }
  const last = tries.at(-1);
  if (last === undefined || (tries.length <= retries && last.kind !== 'broke-slice')) return null;
  if (last.kind === 'timeout') return { kind: 'timed-out' };
  return { kind: 'failed', why: resultInWords(last) };
}

export function isPass({ passCodes }: BatchJob, result: JobResult): boolean {
  return result.kind === 'exit' && passCodes.includes(result.code);
}

export function resultInWords(result: JobResult): string {
  switch (result.kind) {
    case 'exit':
      return `exit ${result.code}`;
    case 'signal':
      return `ended by ${result.signal}`;
    case 'timeout':
      return 'timed out';
    case 'lost':
      return `not counted: ${result.why}`;
    case 'broke-slice':
      return `broke its slice: ${result.why}`;
    case 'not-started':
      return `not started: ${result.why}`;
  }
}

/** By what a job is known again in the next batch. */
export function durationKeyOf({ command }: BatchJob): string {
  return JSON.stringify(command);
}

/** Why an attempt does not count whose runner was killed: when and how it ended is not known. */
export const runnerGone = 'whoever ran it was gone';
