/** Programs as process groups of their own: started, watched, and ended whole. */
import type { ProcessMark } from './run-store.js';

export interface JobStart {
  /** Program and arguments; never a shell line. */
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** `inherit`: the terminal of this process; a path: a file that both streams are appended to. */
  readonly output: { readonly kind: 'inherit' } | { readonly kind: 'file'; readonly path: string };
}

export type JobEnd =
  { readonly kind: 'exit'; readonly code: number } | { readonly kind: 'signal'; readonly signal: string };

export interface RunningJob {
  /** The group and its leader have one number; `startedAt` tells it from later ones. */
  readonly group: ProcessMark;
  /** When the leader has ended; what it left behind in its group may live on. */
  readonly ended: Promise<JobEnd>;
  /** To the whole group; `false`: nothing of it is left. */
  readonly signal: (signal: NodeJS.Signals) => boolean;
}

export type StartAnswer =
  | { readonly ok: true; readonly job: RunningJob }
  /** No such program, or not one that may be run. */
  | {
      readonly ok: false;
      readonly why: { readonly kind: 'not-found' | 'not-executable' | 'failed'; readonly message: string };
    };

/** A group that waits behind a gate: all of it is there but the program. Where this process dies, so does the group. */
export interface PreparedJob {
  readonly group: ProcessMark;
  /**
   * The program does not run before `before` has ended: what must be written down about the group is, even if this
   * process is killed in between; where `before` fails it never runs. `late` is what its environment has besides.
   */
  readonly open: (
    before: () => Promise<void>,
    late?: Readonly<Record<string, string>>,
  ) => Promise<RunningJob>;
  /** It never runs; resolves when the group is gone. */
  readonly discard: () => Promise<void>;
}

export type PrepareAnswer =
  { readonly ok: true; readonly job: PreparedJob } | (StartAnswer & { readonly ok: false });

export interface JobRunner {
  /** Ahead of time, since starting a process is most of the work of starting a program. */
  readonly prepare: (start: JobStart) => Promise<PrepareAnswer>;
  /** Prepared and opened at once. */
  readonly start: (start: JobStart, before: (group: ProcessMark) => Promise<void>) => Promise<StartAnswer>;
  /** A group that another process started: whether any of it is alive. */
  readonly isGroupAlive: (group: ProcessMark) => boolean;
  readonly signalGroup: (group: ProcessMark, signal: NodeJS.Signals) => boolean;
  /**
   * Every living process that began with this very line in its environment, whatever group and session it has gone to,
   * as far as this user may look; never this process. Looks at all processes of the machine: not for every job.
   */
  readonly marked: (line: `${string}=${string}`) => readonly ProcessMark[];
  /** To that one process; `false`: it is gone, or may not be signalled. */
  readonly signalProcess: (process: ProcessMark, signal: NodeJS.Signals) => boolean;
}
