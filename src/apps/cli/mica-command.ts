/** A commander command as Mica uses it: its mistakes are one class of error, its action is loaded when it runs. */
import { Command } from 'commander';
import type { CommandRun, Dispatch } from './command.js';
import { usageError } from './usage-error.js';

export class MicaCommand extends Command {
  override createCommand(name?: string): Command {
    return new MicaCommand(name).helpOption('-h, --help', 'show the arguments and options');
  }

  override error(message: string, options?: { readonly code?: string }): never {
    throw usageError(this, message, options?.code);
  }
}

/**
 * Commander hands over the positional arguments, then the options, then the command itself. It knows no types: that
 * they are what the command takes is for the definitions above to see to.
 */
export function act<P, O extends { readonly json?: boolean }>(
  dispatch: Dispatch,
  load: () => Promise<CommandRun<P, O>>,
): (...received: unknown[]) => Promise<void> {
  return (...received) => {
    const command = received.at(-1) as Command;
    return dispatch(load, received.slice(0, -2) as P, command.optsWithGlobals<O>());
  };
}
