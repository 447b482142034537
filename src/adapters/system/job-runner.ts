/**
 * Programs as process groups of their own. A program waits behind a gate until what must be written down about its group
 * is: a shell reads one line from a pipe and then becomes the program. Where this process dies first, the pipe ends
 * without a line, and the program never runs.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, closeSync, constants, openSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { JobEnd, JobRunner, JobStart, RunningJob, StartAnswer } from '#ports/job-runner';
import type { ProcessMark } from '#ports/run-store';
import { findProgram } from './find-program.js';
import { isGroupAlive, signalGroup } from './process-groups.js';
import { startTicksOf, surroundings } from './process-identity.js';

export const systemJobRunner: JobRunner = { start: startJob, isGroupAlive, signalGroup };

/**
 * The whole script: program and arguments come as arguments of the shell, so nothing that a user wrote is read as shell
 * text. A shell because it is there everywhere and takes about a millisecond, where another Node takes forty.
 */
const gateScript = 'read -r _ <&3 && exec "$@" 3<&-';
const gateStream = 3;

async function startJob(
  start: JobStart,
  before: (group: ProcessMark) => Promise<void>,
): Promise<StartAnswer> {
  const [name, ...args] = start.command;
  const found = findProgram(name, start.env['PATH'], start.cwd ?? process.cwd());
  if (!found.ok) {
    const what = found.kind === 'not-found' ? 'there is no such program' : 'it may not be run';
    return { ok: false, why: { kind: found.kind, message: `${name}: ${what}` } };
  }
  let child: ChildProcess;
  try {
    child = spawnBehindGate(start, [found.path, ...args]);
  } catch (error) {
    return failed(name, error);
  }
  const { pid } = child;
  const startedAt = pid === undefined ? null : startTicksOf(pid);
  if (pid === undefined || startedAt === null) {
    const error = await new Promise((resolve) => {
      child.once('error', resolve);
      child.once('exit', () => resolve(new Error('it ended at once')));
    });
    return failed(name, error);
  }
  const ended = endOf(child);
  const group: ProcessMark = { pid, startedAt, bootId: surroundings().bootId };
  const gate = child.stdio[gateStream] as Writable;
  // Whoever ends the group while it waits closes the gate from the other side.
  gate.on('error', () => undefined);
  try {
    await before(group);
  } catch (error) {
    gate.destroy();
    await ended;
    throw error;
  }
  gate.end('\n');
  const job: RunningJob = { group, ended, signal: (signal) => signalGroup(group, signal) };
  return { ok: true, job };
}

function spawnBehindGate({ env, cwd, output }: JobStart, command: readonly string[]): ChildProcess {
  const file = output.kind === 'file' ? openSync(output.path, 'a', 0o600) : null;
  try {
    const [shell, ...options] = shellFor(env);
    return spawn(shell, [...options, '-c', gateScript, 'mica', ...command], {
      detached: true,
      env: env,
      ...(cwd === undefined ? {} : { cwd }),
      stdio: file === null ? ['inherit', 'inherit', 'inherit', 'pipe'] : ['ignore', file, file, 'pipe'],
    });
  } finally {
    if (file !== null) closeSync(file);
  }
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

function endOf(child: ChildProcess): Promise<JobEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal }),
    );
  });
}

function failed(name: string, error: unknown): StartAnswer {
  const message = error instanceof Error ? error.message : String(error);
  return { ok: false, why: { kind: 'failed', message: `${name}: ${message}` } };
}
