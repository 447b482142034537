/**
 * The gate that a program waits behind: a shell reads from a pipe and then becomes the program. Where whoever holds the
 * other end dies first, the pipe ends before the shell was told to, and the program never runs.
 */
import { accessSync, constants } from 'node:fs';
import type { JobEnd, JobStart, PrepareAnswer, PreparedJob } from '#ports/job-runner';
import type { ProcessMark } from '#ports/run-store';
import { findProgram } from './find-program.js';
import { signalGroup } from './process-groups.js';
import { surroundings } from './process-identity.js';

/** The number of the pipe, for the shell. */
export const gateStream = 3;

/**
 * The whole script: program and arguments come as arguments of the shell, so nothing that a user wrote is read as shell
 * text. A shell because it is there everywhere and takes about a millisecond, where another Node takes forty. Each line
 * is a variable for the program, the empty one opens the gate.
 */
const gateScript = [
  `while IFS= read -r MICA_GATE <&${gateStream}`,
  `do if [ -n "$MICA_GATE" ]; then export "$MICA_GATE"; else unset MICA_GATE; exec "$@" ${gateStream}<&-; fi`,
  'done',
].join('\n');

/** What is started in the place of the program. */
export function gatedCommand(
  env: JobStart['env'],
  command: readonly string[],
): readonly [string, ...string[]] {
  return [...shellFor(env), '-c', gateScript, 'mica', ...command];
}

/** The program where it was found, with its arguments. */
export function programOf({
  command: [name, ...args],
  env,
  cwd,
}: JobStart):
  { readonly ok: true; readonly command: readonly string[] } | (PrepareAnswer & { readonly ok: false }) {
  const found = findProgram(name, env['PATH'], cwd ?? process.cwd());
  if (found.ok) return { ok: true, command: [found.path, ...args] };
  const what = found.kind === 'not-found' ? 'there is no such program' : 'it may not be run';
  return { ok: false, why: { kind: found.kind, message: `${name}: ${what}` } };
}

export interface Gate {
  /** Takes the text as its last. */
  readonly open: (text: string) => void;
  readonly shut: () => void;
}

/** `ended` may reject: how it ends is not known any more. */
export function waitingJob(
  leader: Pick<ProcessMark, 'pid' | 'startedAt'>,
  ended: Promise<JobEnd>,
  gate: Gate,
): PreparedJob {
  const group: ProcessMark = { ...leader, ...surroundings() };
  const discard = async (): Promise<void> => {
    gate.shut();
    await ended.catch(() => undefined);
  };
  return {
    group,
    discard,
    open: async (before, late = {}) => {
      const lines = Object.entries(late).map(([variable, value]) => `${variable}=${value}`);
      try {
        if (lines.some((line) => line.includes('\n'))) throw new TypeError('a late variable has one line');
        await before();
      } catch (error) {
        await discard();
        throw error;
      }
      gate.open(`${lines.map((line) => `${line}\n`).join('')}\n`);
      return { group, ended, signal: (signal) => signalGroup(group, signal) };
    },
  };
}

export function failed(name: string, error: unknown): PrepareAnswer & { readonly ok: false } {
  const message = error instanceof Error ? error.message : String(error);
  return { ok: false, why: { kind: 'failed', message: `${name}: ${message}` } };
}

/**
 * A plain shell forgets variables whose names it could not say, as exported functions have. Bash hands them on, and
 * with -p takes none of the functions for its own.
 */
function shellFor(env: JobStart['env']): readonly [string, ...string[]] {
  const isPlain = Object.keys(env).every((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  return isPlain || !hasBash() ? ['/bin/sh'] : ['/bin/bash', '--posix', '-p'];
}

function hasBash(): boolean {
  try {
    accessSync('/bin/bash', constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
