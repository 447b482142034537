/** Process groups of this machine: whether any of one is alive, and signals to all of it. */
import { readFileSync, readdirSync } from 'node:fs';
import type { ProcessMark } from '#ports/run-store';
import { isOfHere, isOneProcess } from './process-identity.js';

/**
 * A group outlives its leader, so its members are looked for. A number is not given to a new process while a group has
 * it, but it may be afterwards: whoever leads a group of that number and started at another time leads another group.
 */
export function isGroupAlive(group: ProcessMark): boolean {
  if (!mayBeGroup(group)) return false;
  try {
    process.kill(-group.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  // The signal reaches processes too that have ended and that nobody has waited for; only /proc tells them apart.
  const members = membersOf(group.pid);
  if (members === null) return true;
  const leader = members.find(({ pid }) => pid === group.pid);
  if (leader !== undefined && leader.startTicks !== group.startedAt) return false;
  return members.some(
    ({ state, startTicks }) =>
      state !== 'Z' && state !== 'X' && Number(startTicks) >= Number(group.startedAt),
  );
}

/** `false`: nothing of it is left, or it may not be signalled. */
export function signalGroup(group: ProcessMark, signal: NodeJS.Signals): boolean {
  if (!isGroupAlive(group)) return false;
  try {
    return process.kill(-group.pid, signal);
  } catch {
    return false;
  }
}

/** Counted here, and not the machine's own processes nor ours: 0 and 1 mean more than a group to `kill`. */
function mayBeGroup(group: ProcessMark): boolean {
  const { pid } = group;
  return isOneProcess(pid) && pid !== 1 && pid !== process.pid && isOfHere(group);
}

interface Member {
  readonly pid: number;
  readonly state: string;
  readonly startTicks: string;
}

/** Who is in the group and in the session that began with it; `null`: this machine shows no processes. */
function membersOf(group: number): readonly Member[] | null {
  let names: readonly string[];
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return null;
  }
  if (names.length === 0) return null;
  return names.flatMap((name) => {
    let stat: string;
    try {
      stat = readFileSync(`/proc/${name}/stat`, 'utf8');
    } catch {
      return [];
    }
    // The name in parentheses may hold blanks and parentheses itself, so fields are counted from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, , groupId, session] = fields;
    const startTicks = fields[19];
    if (Number(groupId) !== group || Number(session) !== group) return [];
    return state === undefined || startTicks === undefined ? [] : [{ pid: Number(name), state, startTicks }];
  });
}
