import { expect, it } from 'vitest';
import type { PreparedJob } from '#ports/job-runner';
import { VirtualClock } from '../../../../test/support/virtual-clock.js';
import { jobQueue } from './job-queue.js';
import { readyJobs, type ReadyJob } from './ready-jobs.js';

function bed(lengthsMs: readonly number[], ahead = 2) {
  const clock = new VirtualClock();
  const made: number[] = [];
  const discarded: number[] = [];
  const queue = jobQueue(lengthsMs.map((durationMs, job) => ({ job, durationMs, isRetry: false })));
  const prepare = async (job: number): Promise<ReadyJob> => {
    made.push(job);
    if (lengthsMs[job] === 13) throw new RangeError('unlucky');
    const discard = async (): Promise<void> => void discarded.push(job);
    const group = { pid: job, startedAt: '1', bootId: null };
    const waiting: PreparedJob = { group, discard, open: () => Promise.reject(new Error('not here')) };
    return { job, attempt: 1, prepared: { ok: true, job: waiting } };
  };
  const ready = readyJobs({ queue, prepare, ahead: () => ahead, clock });
  const take = async () => (await ready.take())?.job;
  return { ...{ clock, made, discarded, queue, ready, take } };
}

it('makes the longest that are left ready, a few at a time, when one was taken', async () => {
  const { clock, made, ready, take } = bed([10, 50, 40, 30, 20]);
  expect(made).toEqual([]);
  expect(await take()).toBe(1);
  expect(made).toEqual([1]);
  await clock.sleep(10);
  expect(made).toEqual([1, 2, 3]);
  expect(ready.size()).toBe(4);
  expect([await take(), await take(), await take(), await take(), await take()]).toEqual([
    2,
    3,
    4,
    0,
    undefined,
  ]);
  expect(ready.size()).toBe(0);
});

it('hands out what comes back, after what is ready', async () => {
  const { clock, queue, take } = bed([50, 40, 30, 20], 1);
  expect(await take()).toBe(0);
  await clock.sleep(10);
  queue.putBack(0);
  expect([await take(), await take(), await take()]).toEqual([1, 0, 2]);
});

it('lets those that are ready go when it is closed, and makes no more', async () => {
  const { clock, made, discarded, ready, take } = bed([50, 40, 30, 20]);
  await take();
  await clock.sleep(10);
  await ready.close();
  expect(discarded).toEqual([1, 2]);
  expect(made).toEqual([0, 1, 2]);
});

it('tells whoever takes it what went wrong, and nobody else', async () => {
  const { clock, ready, take } = bed([50, 13, 1]);
  await take();
  await clock.sleep(10);
  await expect(take()).rejects.toThrow('unlucky');
  await ready.close();
});
