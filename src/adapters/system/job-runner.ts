/**
 * Programs as process groups of their own. A program waits behind a gate until what must be written down about its group
 * is.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { JobEnd, JobRunner, JobStart, PrepareAnswer, StartAnswer } from '#ports/job-runner';
import type { ProcessMark } from '#ports/run-store';
import { failed, gatedCommand, gateStream, programOf, waitingJob } from './job-gate.js';
import { marked, signalProcess } from './marked-processes.js';
import { isGroupAlive, signalGroup } from './process-groups.js';
import { startTicksOf } from './process-identity.js';

export const systemJobRunner: JobRunner = {
  prepare: prepareJob,
  start: startJob,
  isGroupAlive,
  signalGroup,
  marked,
  signalProcess,
};

async function startJob(
  start: JobStart,
  before: (group: ProcessMark) => Promise<void>,
): Promise<StartAnswer> {
  const prepared = await prepareJob(start);
  if (!prepared.ok) return prepared;
  const { job } = prepared;
  return { ok: true, job: await job.open(() => before(job.group)) };
}

async function prepareJob(start: JobStart): Promise<PrepareAnswer> {
  const program = programOf(start);
  if (!program.ok) return program;
  const [name] = start.command;
  let child: ChildProcess;
  try {
    child = spawnBehindGate(start, program.command);
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
  const gate = child.stdio[gateStream] as Writable;
  // Whoever ends the group while it waits closes the gate from the other side.
  gate.on('error', () => undefined);
  const job = waitingJob({ pid, startedAt }, endOf(child), {
    open: (text) => void gate.end(text),
    shut: () => void gate.destroy(),
  });
  return { ok: true, job };
}

function spawnBehindGate({ env, cwd, output }: JobStart, command: readonly string[]): ChildProcess {
  const file = output.kind === 'file' ? openSync(output.path, 'a', 0o600) : null;
  try {
    const [shell, ...options] = gatedCommand(env, command);
    return spawn(shell, options, {
      detached: true,
      env: env,
      ...(cwd === undefined ? {} : { cwd }),
      stdio: file === null ? ['inherit', 'inherit', 'inherit', 'pipe'] : ['ignore', file, file, 'pipe'],
    });
  } finally {
    if (file !== null) closeSync(file);
  }
}

function endOf(child: ChildProcess): Promise<JobEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal }),
    );
  });
}
