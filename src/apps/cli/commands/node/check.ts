/** One thing that must be true before GPUs can be cut, looked into: what was found, and what to do about it. */

export interface Check {
  /** `null`: of the machine. */
  readonly gpu: number | null;
  readonly check: string;
  /** `bad`: cutting cannot work; `warn`: it may not, or something is left to do; `unknown`: nobody says. */
  readonly verdict: 'ok' | 'warn' | 'bad' | 'unknown';
  readonly message: string;
  /** What to do; for `unknown`, how to find out. */
  readonly fix?: string;
}

/** A check whose GPU is plain from where it is made. */
export type Finding = Omit<Check, 'gpu'>;
