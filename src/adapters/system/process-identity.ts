/** Which process a pid means: pids are used again, within a boot and after it, and containers count their own. */
import { readFileSync, readlinkSync } from 'node:fs';
import type { ProcessMark } from '#ports/run-store';

/** `null`: this machine does not say (no `/proc`). */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot. */
  readonly startTicks: string | null;
  readonly bootId: string | null;
  readonly pidNamespace: string | null;
}

/** `unseen`: it lives in another pid namespace, where nobody here can look. */
export type Presence = 'alive' | 'gone' | 'unseen';

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTicks: statOf(process.pid)?.startTicks ?? null, ...surroundings() };
}

export function presenceOf(identity: ProcessIdentity): Presence {
  const here = surroundings();
  if (differ(identity.bootId, here.bootId)) return 'gone';
  if (differ(identity.pidNamespace, here.pidNamespace)) return 'unseen';
  if (!isRunning(identity.pid)) return 'gone';
  return differ(identity.startTicks, statOf(identity.pid)?.startTicks ?? null) ? 'gone' : 'alive';
}

/** Whether there is such a process. One that has ended and waits for its parent to notice (a zombie) is gone. */
export function isRunning(pid: number): boolean {
  if (!isOneProcess(pid)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Anything but "no such process" means that there is one, and that it may not be signalled.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const state = statOf(pid)?.state;
  return state !== 'Z' && state !== 'X';
}

/** In clock ticks since boot, `null`: no such process that can be seen from here. */
export function startTicksOf(pid: number): string | null {
  return isOneProcess(pid) ? (statOf(pid)?.startTicks ?? null) : null;
}

/** Zero and negative numbers mean groups of processes to `kill`. */
export function isOneProcess(pid: number): boolean {
  return Number.isSafeInteger(pid) && pid > 0;
}

function differ(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && one !== other;
}

let known: Pick<ProcessIdentity, 'bootId' | 'pidNamespace'> | undefined;

/** Of this process, and the same for all its life. */
export function surroundings(): Pick<ProcessIdentity, 'bootId' | 'pidNamespace'> {
  return (known ??= {
    bootId: orNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: orNull(() => readlinkSync('/proc/self/ns/pid')),
  });
}

/** Whether its pid can mean a process of this boot and namespace; elsewhere the number is another's. */
export function isOfHere(mark: Pick<ProcessMark, 'bootId' | 'pidNamespace'>): boolean {
  const here = surroundings();
  return !differ(mark.bootId, here.bootId) && !differ(mark.pidNamespace ?? null, here.pidNamespace);
}

/** The name in parentheses may hold blanks and parentheses itself, so fields are counted from its end. */
function statOf(pid: number): { readonly state: string; readonly startTicks: string } | null {
  const stat = orNull(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  return state === undefined || startTicks === undefined ? null : { state, startTicks };
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
