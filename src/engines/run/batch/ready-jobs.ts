/**
 * The next jobs of the queue, each behind its gate already: a slice that is free has its next program at once, and no
 * slice waits while a process is made. What is ready is bound to no slice: the longest job left goes to whoever is free.
 */
import type { Clock } from '#ports/clock';
import type { PrepareAnswer } from '#ports/job-runner';
import type { JobQueue } from './job-queue.js';

export interface ReadyJob {
  readonly job: number;
  readonly attempt: number;
  readonly prepared: PrepareAnswer;
}

export interface ReadyJobs {
  /** How many jobs wait. */
  readonly size: () => number;
  /** The next one; `undefined`: none waits. */
  readonly take: () => Promise<ReadyJob> | undefined;
  /** Those that are ready never run. */
  readonly close: () => Promise<void>;
}

export interface ReadyOptions {
  readonly queue: JobQueue;
  readonly prepare: (job: number) => Promise<ReadyJob>;
  /** How many are kept ready. */
  readonly ahead: () => number;
  readonly clock: Clock;
}

export function readyJobs({ queue, prepare, ahead, clock }: ReadyOptions): ReadyJobs {
  const ready: Promise<ReadyJob>[] = [];
  let isClosed = false;
  let filling: Promise<void> | null = null;

  const next = (): Promise<ReadyJob> | undefined => {
    const job = queue.take();
    if (job === undefined) return undefined;
    const made = prepare(job);
    // Whoever takes it hears of what went wrong, which may be much later.
    made.catch(() => undefined);
    return made;
  };
  const fill = async (): Promise<void> => {
    while (ready.length < ahead()) {
      // A job that has just ended, or a slice that waits for this one, comes first.
      await clock.sleep(0);
      const made = isClosed ? undefined : next();
      if (made === undefined) return;
      ready.push(made);
    }
  };
  return {
    size: () => ready.length + queue.size(),
    take: () => {
      const taken = ready.shift() ?? next();
      filling ??= fill().finally(() => (filling = null));
      return taken;
    },
    close: async () => {
      isClosed = true;
      await filling;
      await Promise.all(
        ready.splice(0).map(async (one) => {
          const made = await one.catch(() => null);
          if (made !== null) await discard(made);
        }),
      );
    },
  };
}

export async function discard({ prepared }: ReadyJob): Promise<void> {
  if (prepared.ok) await prepared.job.discard();
}
