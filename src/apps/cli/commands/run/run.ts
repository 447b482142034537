/** `mica run`: a program on slices that nobody else has, for as long as it runs. */
import { constants } from 'node:os';
import { MicaError } from '#core/errors';
import type { LeaseWish } from '#core/run/slice';
import { endGroups, endMarked, leaseVariable } from '#engines/run/clear-out';
import type { Lease, Leases } from '#engines/run/leases';
import { watchMemory } from '#engines/run/peak-memory';
import type { RunningJob } from '#ports/job-runner';
import { longestTimeMs, timeSpanMs, wholeNumber } from '../../arguments.js';
import type { Context, ProgramExit } from '../../command.js';
import type { DeskFlags } from '../serve/find-server.js';
import { withSlicesFor, type RunMachine } from './open-run.js';
import { containerRun, type ContainerRun } from './start-container.js';
import { programEnv } from './program-env.js';
import { sliceWishFrom, type SliceFlags } from './slice-wish.js';
import { listenForSignals, type Signals } from './signals.js';
import { shortNameOf } from './slice-names.js';

export interface RunFlags extends DeskFlags, SliceFlags {
  readonly count?: string;
  readonly wait?: string;
  readonly timeout?: string;
  readonly priority?: string;
  readonly docker?: boolean;
  readonly podman?: boolean;
}

const cooperative =
  'mica: this machine is shared: the program is told its slice, and only --docker and --podman close the others to it';

type Command = readonly [string, ...string[]];

const timedOut = 124;
const noSlice = 125;
const notExecutable = 126;
const notFound = 127;

export async function runCommand(
  context: Context,
  [command]: readonly [Command],
  flags: RunFlags,
): Promise<ProgramExit> {
  if (flags.docker === true && flags.podman === true) {
    throw new MicaError('bad-usage', '--docker and --podman: one container needs one of them');
  }
  const wish = await wishFrom(context, flags);
  const waitMs = flags.wait === undefined ? null : timeSpanMs('--wait', flags.wait, longestTimeMs);
  const timeoutMs =
    flags.timeout === undefined ? null : timeSpanMs('--timeout', flags.timeout, longestTimeMs);
  const signals = listenForSignals();
  try {
    return await withSlicesFor(context.host, flags, wish.slice, async (machine) => {
      const onQueued = ({ place, why }: { readonly place: number; readonly why: string }): void =>
        context.screen.note(
          `mica: waiting for a slice, ${place === 1 ? 'first' : `number ${place}`} in the queue: ${why}`,
        );
      const leases = flags.recut === true ? await recut(context, machine) : machine.leases;
      const answer = await leases.acquire(wish, { waitMs, signal: signals.first, onQueued, command });
      if (!answer.ok) {
        if (answer.why.kind === 'aborted') return exitOf(signals.received() ?? 'SIGTERM');
        return refuse(context, answer.why.message, nextFor(answer.why.kind, flags));
      }
      return await runOn(context, machine, answer.lease, { command, flags, timeoutMs, signals });
    });
  } catch (error) {
    if (!(error instanceof MicaError) || error.code === 'bad-usage') throw error;
    return refuse(context, error.message, error.next);
  } finally {
    signals.release();
  }
}

interface Run {
  readonly command: Command;
  readonly flags: RunFlags;
  readonly timeoutMs: number | null;
  readonly signals: Signals;
}

async function runOn(context: Context, machine: RunMachine, lease: Lease, run: Run): Promise<ProgramExit> {
  const memory = watchMemory(machine, lease.slices);
  let container: ContainerRun | null = null;
  try {
    const { command, flags, signals } = run;
    const tool = flags.docker === true ? 'docker' : flags.podman === true ? 'podman' : null;
    const env = {
      ...programEnv(context.host),
      CUDA_VISIBLE_DEVICES: lease.slices.map(({ device }) => device).join(','),
      [leaseVariable]: lease.id,
    };
    if (tool !== null) container = await containerRun(context.screen, tool, command, lease, env);
    else if (machine.isShared) context.screen.note(cooperative);
    const started = await machine.runner.start(
      { command: container?.command ?? command, env, output: { kind: 'inherit' } },
      lease.bind,
    );
    if (!started.ok) {
      context.screen.note(`mica: ${started.why.message}`);
      return started.why.kind === 'not-found' ? notFound : notExecutable;
    }
    signals.passTo((signal) => started.job.signal(signal));
    return await untilEnded(context, machine, lease, started.job, run);
  } finally {
    const peakMemoryMiB = await memory.end();
    await container?.end();
    // What left its group is in nobody's list, and would run on without the lease.
    await endMarked(machine, lease.id);
    await giveBack(context, lease, peakMemoryMiB);
  }
}

async function untilEnded(
  context: Context,
  machine: RunMachine,
  lease: Lease,
  job: RunningJob,
  { timeoutMs }: Run,
): Promise<ProgramExit> {
  const over = new AbortController();
  let isLate = false;
  const onLost = (): void => {
    context.screen.note('mica: this process was not heard of for too long, and lost its lease');
    job.signal('SIGKILL');
  };
  lease.lost.addEventListener('abort', onLost);
  const endLate = async (withinMs: number): Promise<void> => {
    await machine.clock.sleep(withinMs, over.signal);
    if (over.signal.aborted) return;
    isLate = true;
    context.screen.note(`mica: the program took longer than ${withinMs / 1000} s, and is ended`);
    await endGroups(machine, [job.group]);
  };
  const timeout = timeoutMs === null ? Promise.resolve() : endLate(timeoutMs);
  const end = await job.ended;
  over.abort();
  await timeout;
  lease.lost.removeEventListener('abort', onLost);
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- set while the program ran
  if (isLate) return timedOut;
  return end.kind === 'exit' ? end.code : exitOf(end.signal);
}

async function giveBack({ screen }: Context, lease: Lease, peakMemoryMiB: number | null): Promise<void> {
  try {
    const released = await lease.release({ peakMemoryMiB });
    if (released.ok) return;
    for (const { slice, why } of released.quarantined) {
      const found = lease.slices.find(({ id }) => id === slice);
      const name = found === undefined ? slice : shortNameOf(found);
      screen.note(`mica: slice ${name} is kept from everybody: ${why}`);
      screen.note(`What to do: look at it, then run \`mica release-slice ${name}\`.`);
    }
  } catch (error) {
    // The program has run; whoever looks next gives the slice back, since this process is gone then.
    screen.note(
      `mica: the lease could not be given back: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function wishFrom({ host }: Context, flags: RunFlags): Promise<LeaseWish> {
  return {
    slice: await sliceWishFrom(flags, host),
    count: flags.count === undefined ? 1 : wholeNumber('--count', flags.count, 1, 1000),
    priority: flags.priority === undefined ? 0 : wholeNumber('--priority', flags.priority, 0, 1000),
    tenant: null,
  };
}

async function recut({ screen }: Context, machine: RunMachine): Promise<Leases> {
  const { recutLeases } = await import('./recut-leases.js');
  return recutLeases(machine, (text) => screen.note(`mica: ${text}`));
}

function refuse({ screen }: Context, message: string, next: string): ProgramExit {
  screen.note(`mica: ${message}\nWhat to do: ${next}`);
  return noSlice;
}

function nextFor(kind: 'impossible' | 'timed-out' | 'over-quota', { recut = false }: RunFlags): string {
  switch (kind) {
    case 'impossible':
      return recut
        ? '`mica ps` shows the slices and quarantine; `mica node apply` cuts others.'
        : '`mica ps` shows the slices and quarantine; --recut cuts a GPU anew, `mica node apply` as you say.';
    case 'timed-out':
      return 'Wait for longer with --wait; `mica ps` shows who has the slices.';
    case 'over-quota':
      return '`mica ps` shows what the tenant has.';
  }
}

/** As shells do. */
function exitOf(signal: string): ProgramExit {
  return 128 + ((constants.signals as Readonly<Record<string, number>>)[signal] ?? 0);
}
