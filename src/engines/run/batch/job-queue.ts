/** The order of jobs: those of unknown length first, then the longest first, so that no long one begins last. */

export interface JobQueue {
  readonly size: () => number;
  /** The next job; `undefined`: none waits. */
  readonly take: () => number | undefined;
  /** After all others: it failed, and gets another try. */
  readonly retry: (job: number) => void;
  /** Before all others: it was taken from its slice, and others have waited less. */
  readonly putBack: (job: number) => void;
}

export interface QueuedJob {
  /** Place in the list. */
  readonly job: number;
  /** When it last passed; `null`: not known. */
  readonly durationMs: number | null;
  /** It has failed before. */
  readonly isRetry: boolean;
}

export function jobQueue(jobs: readonly QueuedJob[]): JobQueue {
  // Taken from the end.
  const first = inOrder(jobs.filter(({ isRetry }) => !isRetry)).reverse();
  const retries = inOrder(jobs.filter(({ isRetry }) => isRetry));
  let taken = 0;
  return {
    size: () => first.length + retries.length - taken,
    take: () => {
      const next = first.pop();
      if (next !== undefined) return next;
      const retry = retries[taken];
      if (retry !== undefined) taken += 1;
      return retry;
    },
    retry: (job) => void retries.push(job),
    putBack: (job) => void first.push(job),
  };
}

function inOrder(jobs: readonly QueuedJob[]): number[] {
  return [...jobs].sort((a, b) => byLength(a, b) || a.job - b.job).map(({ job }) => job);
}

function byLength(a: QueuedJob, b: QueuedJob): number {
  if (a.durationMs === null || b.durationMs === null) {
    return Number(b.durationMs === null) - Number(a.durationMs === null);
  }
  return b.durationMs - a.durationMs;
}
