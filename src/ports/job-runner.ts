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

export interface JobRunner {
  /**
   * The program does not run before `before` has ended: what must be written down about the group is, even if this
   * process is killed in between.
   */
  readonly start: (start: JobStart, before: (group: ProcessMark) => Promise<void>) => Promise<StartAnswer>;
  /** A group that another process started: whether any of it is alive. */
  readonly isGroupAlive: (group: ProcessMark) => boolean;
  readonly signalGroup: (group: ProcessMark, signal: NodeJS.Signals) => boolean;
}
