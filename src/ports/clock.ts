/** The time and waiting, as arguments: a simulated month runs in a second. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Ends early, and without an error, where the signal aborts; a clock that is turned by hand may sleep on. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}
