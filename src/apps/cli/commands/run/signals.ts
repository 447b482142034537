/** Signals to this process that are meant for the program that it runs: before it there is one, they end the wait. */

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

export interface Signals {
  /** Aborts at the first signal. */
  readonly first: AbortSignal;
  readonly received: () => NodeJS.Signals | null;
  /** From now on, and what came before too. */
  readonly passTo: (receiver: (signal: NodeJS.Signals) => unknown) => void;
  /** Gives the signals their usual meaning back. */
  readonly release: () => void;
}

export function listenForSignals(): Signals {
  const first = new AbortController();
  const early: NodeJS.Signals[] = [];
  let receive = (signal: NodeJS.Signals): unknown => early.push(signal);
  let last: NodeJS.Signals | null = null;
  const onSignal = (signal: NodeJS.Signals): void => {
    last = signal;
    receive(signal);
    first.abort();
  };
  for (const signal of passedOn) process.on(signal, onSignal);
  return {
    first: first.signal,
    received: () => last,
    passTo: (receiver) => {
      receive = receiver;
      for (const signal of early.splice(0)) receiver(signal);
    },
    release: () => {
      for (const signal of passedOn) process.off(signal, onSignal);
    },
  };
}
