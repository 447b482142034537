/** The command line: `main` runs one command and answers with the exit code. */
import { CommanderError } from 'commander';
import { MicaError } from '#core/errors';
import type { Dispatch } from './command.js';
import { buildProgram } from './program.js';
import { printable, screenOn, type Host } from './terminal/screen.js';

export async function main(argv: readonly string[], host: Host = thisProcess()): Promise<number> {
  const screen = screenOn(host);
  let exit = 0;
  const dispatch: Dispatch = async (load, positional, options) => {
    const run = await load();
    exit = await run({ screen, host, json: options.json === true }, positional, options);
  };
  const program = buildProgram(dispatch, {
    writeOut: (text) => void host.out.write(text),
    writeErr: (text) => void host.err.write(text),
    getOutHelpWidth: () => screen.columns,
    getErrHelpWidth: () => screen.columns,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exit;
  } catch (error) {
    // Help and version end a run as exceptions; help that nobody asked for means that a command is missing.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return explain(error, host, ownOptions(argv).includes('--json'));
  }
}

/** Without the program of `mica run`, whose options are its own. */
function ownOptions(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end === -1 ? argv : argv.slice(0, end);
}

/** What went wrong, and what to do about it: one screen, never a stack trace. */
function explain(error: unknown, host: Host, json: boolean): number {
  const failure =
    error instanceof MicaError
      ? error
      : new MicaError('internal', error instanceof Error ? error.message : String(error), { cause: error });
  const { code, exit, next } = failure;
  const message = shortened(failure.message);
  if (json) host.out.write(`${JSON.stringify({ error: { code, message, next } }, null, 2)}\n`);
  const lines = printable(message).replaceAll('\n', '\n  ');
  host.err.write(`mica: ${lines}\nWhat to do: ${next} [${code}]\n`);
  if (host.env['MICA_DEBUG'] === '1' && error instanceof Error) host.err.write(`${error.stack ?? ''}\n`);
  return exit;
}

/** Nothing that was pasted into an argument or a file may fill the screen. */
function shortened(message: string): string {
  const lines = message.split('\n').map((line) => (line.length <= 400 ? line : `${line.slice(0, 400)}…`));
  return lines.slice(0, 20).join('\n');
}

function thisProcess(): Host {
  const { stdout, stderr, env } = process;
  // Whoever reads may stop reading (`| head`): the rest is for nobody, and that is no error.
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return;
      // A full disk, say: an answer that nobody can read is a failure, whatever it was.
      if (stream === stdout) stderr.write(`mica: the answer cannot be written: ${error.message}\n`);
      process.exit(3);
    });
  }
  const isAttended = process.stdin.isTTY && stderr.isTTY;
  return { out: stdout, err: stderr, env, ...(isAttended ? { confirm } : {}) };
}

/** Anything but a clear yes is a no, the end of the input too. */
async function confirm(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    return /^y(es)?$/i.test((await Promise.race([lines.question(question), closed])).trim());
  } finally {
    lines.close();
  }
}
