/** What every command is: options in, answer on the screen, exit code out. */
import type { Host, Screen } from './terminal/screen.js';

export interface Context {
  readonly screen: Screen;
  readonly host: Host;
  /** The answer is wanted as JSON. */
  readonly json: boolean;
}

/**
 * 0: done or yes; 1: the answer is no; 3: begun and not brought to the end, which is an answer too. What keeps a command
 * from answering is thrown as MicaError.
 */
export type AnswerExit = 0 | 1 | 3;

/** Any AnswerExit, or what the program ended with that `mica run` ran. */
export type ProgramExit = number;

/** `P`: the positional arguments, in their order; `O`: the options by their long names. */
export type CommandRun<P, O> = (context: Context, positional: P, options: O) => Promise<ProgramExit>;

/** Loads a command once it is known which one is meant, and runs it. */
export type Dispatch = <P, O extends { readonly json?: boolean }>(
  load: () => Promise<CommandRun<P, O>>,
  positional: P,
  options: O,
) => Promise<void>;
