/** Other processes of this machine: which they are, asking them to leave, and whether they have. */
export interface Processes {
  /** Which start of the machine this is: pids and ids of GPU instances are of one boot. `null`: it does not say. */
  readonly bootId: () => string | null;
  /** Where the pids that are seen from here are counted; `null`: it does not say. */
  readonly pidNamespace: () => string | null;
  /** Tells a process from another that gets its pid later; `null`: there is none that can be seen from here. */
  readonly startOf: (pid: number) => string | null;
  /**
   * Only to the process that started then: its pid may be another's by now. `false`: it is gone, or may not be
   * signalled.
   */
  readonly signal: (pid: number, startedAt: string, signal: 'SIGTERM' | 'SIGKILL') => boolean;
  readonly isAlive: (pid: number) => boolean;
  readonly nameOf: (pid: number) => string | null;
}
