import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobQueue, type QueuedJob } from './job-queue.js';

const fresh = (durations: readonly (number | null)[]): QueuedJob[] =>
  durations.map((durationMs, job) => ({ job, durationMs, isRetry: false }));

function drained(queue: ReturnType<typeof jobQueue>): number[] {
  const all: number[] = [];
  for (let job = queue.take(); job !== undefined; job = queue.take()) all.push(job);
  return all;
}

describe('the queue of a batch', () => {
  it('gives unknown jobs first in list order, then the longest, retries last', () => {
    const queue = jobQueue([...fresh([5, null, 9, 5, null]), { job: 5, durationMs: 99, isRetry: true }]);
    expect(queue.size()).toBe(6);
    expect(queue.take()).toBe(1);
    queue.retry(1);
    expect([queue.take(), queue.take()]).toEqual([4, 2]);
    queue.putBack(2);
    expect(drained(queue)).toEqual([2, 0, 3, 5, 1]);
    expect(queue.size()).toBe(0);
  });

  it('gives each job once', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(50))), (durations) => {
        expect(drained(jobQueue(fresh(durations))).sort((a, b) => a - b)).toEqual([...durations.keys()]);
      }),
    );
  });

  it('leaves no slice idle while a long job waits', () => {
    const durations = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(durations, fc.integer({ min: 1, max: 9 }), (lengths, slices) => {
        const free = Array.from({ length: slices }, () => 0);
        for (const job of drained(jobQueue(fresh(lengths)))) {
          const soonest = free.indexOf(Math.min(...free));
          free[soonest]! += lengths[job]!;
        }
        const sorted = [...lengths].sort((a, b) => b - a);
        // The two longest of slices + 1 jobs share a slice in any schedule.
        const pair = (sorted[slices - 1] ?? 0) + (sorted[slices] ?? 0);
        const sum = lengths.reduce((all, one) => all + one, 0);
        const bound = Math.max(sum / slices, sorted[0]!, sorted[slices] === undefined ? 0 : pair);
        // Graham: the last job to end began when all were busy.
        expect(Math.max(...free)).toBeLessThanOrEqual(bound * 1.5 + 1e-9);
      }),
    );
  });
});
