/** The end of a process that runs until it is told to end. */

const ends = ['SIGTERM', 'SIGINT'] as const;

export interface ToldToEnd {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  readonly received: () => NodeJS.Signals | null;
  /** Gives the signals their usual meaning back. */
  readonly release: () => void;
}

/** The second signal ends it at once, also as the first process of a container, where signals mean nothing by themselves. */
export function untilToldToEnd(): ToldToEnd {
  const told = new AbortController();
  let received: NodeJS.Signals | null = null;
  const onSignal = (name: NodeJS.Signals): void => {
    if (received !== null) process.exit(3);
    received = name;
    told.abort();
  };
  for (const name of ends) process.on(name, onSignal);
  return {
    signal: told.signal,
    received: () => received,
    release: () => {
      for (const name of ends) process.off(name, onSignal);
    },
  };
}
