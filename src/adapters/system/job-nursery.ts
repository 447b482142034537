/**
 * A small process that starts the jobs of a large one. Making a process copies the map of its parent's memory and stops
 * it meanwhile: milliseconds, where the parent is a batch of thousands of jobs. What is promised stays: a program waits
 * behind its gate, and where either of the two processes dies first, it never runs.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { JobEnd, JobRunner, JobStart, PrepareAnswer } from '#ports/job-runner';
import { failed, gatedCommand, programOf, waitingJob } from './job-gate.js';
import { systemJobRunner } from './job-runner.js';
import { nurseryText, type NurseryNews, type NurseryOrder } from './nursery-child.js';
import { startTicksOf } from './process-identity.js';

export interface Nursery {
  /** From when on it starts the jobs; rejects never. */
  readonly up: Promise<void>;
  /** Starts jobs by itself until the nursery is up, and where it has none any more. */
  readonly runner: JobRunner;
  /** What waits behind a gate never runs. */
  readonly close: () => Promise<void>;
  readonly pid: number | undefined;
}

interface Job {
  readonly waits: (pid: number) => void;
  readonly failed: (message: string) => void;
  readonly ended: (end: JobEnd) => void;
  readonly orphaned: () => void;
}

export function openNursery(): Nursery {
  const jobs = new Map<number, Job>();
  let isUp = false;
  let rise: () => void = () => undefined;
  const up = new Promise<void>((resolve) => (rise = resolve));
  let lastId = 0;
  const child = startNursery();
  const gone = new Promise<void>((resolve) => {
    const end = (): void => {
      isUp = false;
      rise();
      for (const job of jobs.values()) job.orphaned();
      jobs.clear();
      resolve();
    };
    child.once('exit', end);
    child.once('error', end);
  });
  child.on('message', (message) => {
    const news = message as NurseryNews;
    if (news.kind === 'ready') {
      isUp = true;
      rise();
    } else if (news.kind === 'waits') jobs.get(news.id)?.waits(news.pid);
    else if (news.kind === 'failed') jobs.get(news.id)?.failed(news.message);
    else {
      const { code, signal } = news;
      jobs
        .get(news.id)
        ?.ended(signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal });
      jobs.delete(news.id);
    }
  });
  // An order that cannot be given any more is answered by the end of the nursery.
  const order = (one: NurseryOrder): void => void child.send(one, () => undefined);

  const prepare = async (start: JobStart): Promise<PrepareAnswer> => {
    const { env, cwd, output } = start;
    if (!isUp || output.kind !== 'file') return systemJobRunner.prepare(start);
    const program = programOf(start);
    if (!program.ok) return program;
    const id = (lastId += 1);
    let orphan: (error: Error) => void = () => undefined;
    let end: (end: JobEnd) => void = () => undefined;
    const ended = new Promise<JobEnd>((resolve, reject) => {
      end = resolve;
      orphan = reject;
    });
    ended.catch(() => undefined);
    const why = 'the process that starts jobs was ended';
    const begun = await new Promise<{ readonly pid: number } | { readonly message: string }>((resolve) => {
      jobs.set(id, {
        waits: (pid) => resolve({ pid }),
        failed: (message) => {
          jobs.delete(id);
          resolve({ message });
        },
        ended: end,
        orphaned: () => {
          orphan(new Error(why));
          resolve({ message: why });
        },
      });
      order({ kind: 'start', id, command: gatedCommand(env, program.command), env, cwd, path: output.path });
    });
    const name = start.command[0];
    if ('message' in begun) return failed(name, begun.message);
    const startedAt = startTicksOf(begun.pid);
    if (startedAt === null) return failed(name, 'it ended at once');
    return {
      ok: true,
      job: waitingJob({ pid: begun.pid, startedAt }, ended, {
        open: (text) => order({ kind: 'open', id, text }),
        shut: () => order({ kind: 'discard', id }),
      }),
    };
  };

  return {
    up,
    pid: child.pid,
    runner: { ...systemJobRunner, prepare },
    close: async () => {
      if (child.connected) child.disconnect();
      await gone;
    },
  };
}

/** In a session of its own: Ctrl-C is for whoever it works for. */
function startNursery(): ChildProcess {
  const env: NodeJS.ProcessEnv = { ...process.env };
  delete env['NODE_OPTIONS'];
  return spawn(process.execPath, ['-e', nurseryText()], {
    detached: true,
    env,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}
