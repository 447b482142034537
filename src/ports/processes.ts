/** Other processes of this machine: asking them to leave, and whether they have. */
export interface Processes {
  /** `false`: there is no such process, or it may not be signalled. */
  readonly signal: (pid: number, signal: 'SIGTERM' | 'SIGKILL') => boolean;
  readonly isAlive: (pid: number) => boolean;
  readonly nameOf: (pid: number) => string | null;
}
