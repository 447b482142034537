/** The end of something that goes on until somebody stops it: Ctrl-C, or a reader who has seen enough. */

export interface Interruption {
  readonly signal: AbortSignal;
  /** Gives Ctrl-C its usual meaning back. */
  readonly release: () => void;
}

/** A second Ctrl-C ends the process as always, so that work which hangs can still be left. */
export function untilInterrupted(): Interruption {
  const interrupted = new AbortController();
  const stop = (): void => {
    release();
    interrupted.abort();
  };
  const release = (): void => {
    process.off('SIGINT', stop);
    process.stdout.off('close', stop);
  };
  process.on('SIGINT', stop);
  // A pipe that nobody reads any more is closed at the first write to it.
  process.stdout.on('close', stop);
  return { signal: interrupted.signal, release };
}
