/** A command line that makes no sense, as the error that every command fails with: what, and what to type instead. */
import type { Command } from 'commander';
import { MicaError } from '#core/errors';
import { didYouMean } from './did-you-mean.js';

/** `said` is commander's own sentence; `code` its name for the mistake. */
export function usageError(command: Command, said: string, code?: string): MicaError {
  const name = fullNameOf(command);
  const [mistyped] = command.args;
  // Commander counts an unknown command of a program that also runs alone as one argument too many.
  if (code === 'commander.excessArguments' && command.commands.length > 0 && mistyped !== undefined) {
    const known = command.commands.map((one) => one.name());
    return badUsage(name, `unknown command '${mistyped}'${didYouMean(mistyped, known)}`);
  }
  const [what = '', ...hints] = said.replace(/^error: /, '').split('\n');
  const hint = hints.map((line) => line.replace(/^\((?:Did you mean )(.*)\)$/, '; did you mean $1')).join('');
  return badUsage(name, `${what}${hint}`);
}

function badUsage(name: string, message: string): MicaError {
  return new MicaError('bad-usage', message, { next: `Run \`${name} --help\` to see what it takes.` });
}

function fullNameOf(command: Command): string {
  const parent = command.parent;
  return parent === null ? command.name() : `${fullNameOf(parent)} ${command.name()}`;
}
